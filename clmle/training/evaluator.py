"""Evaluation of a run while it trains and at its end: features, metrics, the best round."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from clmle.classifiers._base import unit_rows
from clmle.classifiers.calibration import fit_calibration
from clmle.classifiers.probabilities import ProbabilityMap, fit_probabilities_of_run
from clmle.config import TrainConfig
from clmle.data.base import Task
from clmle.data.multilabel import MultiTask
from clmle.methods import Classifier, Method
from clmle.methods._multi_label import MultiLabel
from clmle.run_folder import RunFolder
from clmle.training.checkpoint import classifier_of, fill, load_weights, save_tensors
from clmle.training.collapse import collapse_warning
from clmle.training.distributed import World
from clmle.training.embedding_sample import clusters_of, embedding_sample
from clmle.training.extraction import extract, extraction_batch
from clmle.training.factory import embedding_task, metrics_of
from clmle.training.hardest import hardest_rows
from clmle.training.images import ImageSource
from clmle.training.neighborhoods import margin_metrics, neighborhood_metrics, reference_rows


@dataclass
class Evaluator:
    """Evaluates the network of a run in its present state and stores the results.

    ``features`` (n, d) are those of all training images that the clusters are made of, None where
    the method needs none. ``pulse`` is called between two batches with the name of the phase.
    """

    run: RunFolder
    world: World
    train: TrainConfig
    task: Task | MultiTask
    network: nn.Module
    method: Method | MultiLabel
    source: ImageSource
    pulse: Callable[[str], None]
    features: np.ndarray | None = None

    def __post_init__(self) -> None:
        self.warnings: list[str] = []  # of the last evaluation
        self.hardest: list[int] = []  # validation images with the largest loss
        self.probabilities: list[ProbabilityMap] = []  # of its scores, for each target
        self.embedding_task = embedding_task(self.task)
        self.sample = embedding_sample(
            self.embedding_task, self.train.seed, self.train.n_embedding_samples
        )

    def extract(
        self, rows: np.ndarray, phase: str, network: nn.Module | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return z and logits of ``rows``; every process extracts a part of them."""
        size = extraction_batch(self.source.device, self.source.images.ndim == 4)
        mine, n_batches = self.world.shard(len(rows), size)
        parts = extract(
            network or self.network,
            self.source,
            rows[mine],
            precision=self.train.precision,
            n_batches=n_batches,
            tick=lambda: self.pulse(phase),
        )
        features, logits = (self.world.gather_rows(part, len(rows), size) for part in parts)
        return features, logits

    def extract_training_features(self, phase: str) -> None:
        """Extract the features of all training images, if the method needs them."""
        self.features = None  # frees the memory: two arrays may not fit
        if self.method.needs_train_features():
            self.features, _ = self.extract(self.task.train, phase)

    def metrics(
        self, features: np.ndarray, logits: np.ndarray, n_bootstrap: int = 1000
    ) -> tuple[Classifier, dict[str, Any]]:
        """Return the fitted classifier and its metrics of the validation images."""
        rows = self.task.validation
        train = self.features if self.features is not None else np.empty((0, 0))
        validation = (features, logits, self.task.labels[rows])
        classifier = self.method.fit_classifier(train, validation)
        names = getattr(self.task, "attributes", self.task.class_names)
        classifier, self.warnings = fit_calibration(
            classifier, validation, self.train.calibration, names
        )
        if collapsed := collapse_warning(features):
            self.warnings = [collapsed, *self.warnings]
        scores = classifier.scores(features, logits)
        metrics = metrics_of(self.task, rows, scores, n_bootstrap)
        self.hardest = hardest_rows(rows, scores, self.task.labels[rows])
        self.probabilities = fit_probabilities_of_run(scores, self.task.labels[rows])
        return classifier, metrics | neighborhood_metrics(self.task, rows, features)

    def save_best(self, classifier: Classifier, metrics: dict[str, Any], round: int) -> None:
        """Write the weights and the classifier of the best round so far."""
        arrays = classifier.arrays()
        if "centroids" in arrays:
            self.run.write_clusters(**arrays)
        facts = {
            "classifier_kind": classifier.kind,
            "chosen": classifier.chosen(),
            "round": round,
            "validation": metrics,
            "probabilities": [m.to_dict() for m in self.probabilities],
            "image_shape": list(self.task.images.shape[1:]),
            "class_names": list(self.task.class_names),
            "attributes": list(getattr(self.task, "attributes", ())),
        }
        tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
        groups = {"network": self.network.state_dict(), "classifier": tensors}
        save_tensors(self.run.model_path, groups, facts)

    def store_embedding(self, round: int) -> None:
        """Store the features of a sample of images after a round."""
        rows, split = self.sample
        known = split == 0 if self.features is not None else np.zeros(len(rows), dtype=bool)
        new, _ = self.extract(rows[~known], "validation")
        features = np.empty((len(rows), *new.shape[1:]), dtype=new.dtype)
        features[~known] = new
        if self.features is not None:  # those of training images have just been extracted
            order = np.argsort(self.task.train, kind="stable")
            place = np.searchsorted(self.task.train, rows[known], sorter=order)
            features[known] = self.features[order[place]]
        if features.ndim == 3:
            features = features[:, 0]
        labels = self.embedding_task.labels[rows]
        clusters = clusters_of(rows, split, self.task.train, self.method.assignment())
        self.run.write_embedding(
            round, features=unit_rows(features), rows=rows, labels=labels, clusters=clusters,
            split=split,
        )  # fmt: skip

    def test(self) -> dict[str, Any]:
        """Load the best round and return its metrics of the validation and test images."""
        path = self.run.model_path
        best, facts = load_weights(path)
        fill(self.network, best["network"], path)
        splits = {split: self.task.rows(split) for split in ("validation", "test")}
        outputs = {split: self.extract(rows, "testing") for split, rows in splits.items()}
        near = reference_rows(self.task)
        reference = None if near is None else (near, self.extract(near, "testing")[0])

        def compute() -> dict[str, Any]:
            features, logits = outputs["test"]
            shape, dim = logits.shape[1:], features.shape[-1]
            classifier = classifier_of(best, facts, shape, dim, path)
            found: dict[str, Any] = {}
            for split, rows in splits.items():
                features, logits = outputs[split]
                found[split] = metrics_of(self.task, rows, classifier.scores(features, logits))
                found[split] |= neighborhood_metrics(self.task, rows, features)
                if reference is not None and isinstance(self.task, Task):
                    found[split] |= margin_metrics(self.task, reference, (rows, features))
            return found | {"chosen": facts["chosen"], "best_round": facts["round"]}

        return self.world.broadcast_from_main(compute)
