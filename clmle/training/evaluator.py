"""What is judged while a run trains and at its end: features, rules, the best round, the test."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn

from clmle.classifiers._base import unit_rows
from clmle.classifiers.calibration import calibrate
from clmle.config import TrainConfig
from clmle.data.base import Task
from clmle.data.multilabel import MultiTask
from clmle.methods import Classifier, Method
from clmle.methods.multi_label import MultiLabel
from clmle.run_folder import RunFolder
from clmle.training.checkpoint import load_tensors, save_tensors
from clmle.training.distributed import World
from clmle.training.embedding_sample import clusters_of, embedding_sample
from clmle.training.extraction import extract, extraction_batch
from clmle.training.factory import embedding_task, metrics_of
from clmle.training.images import ImageSource
from clmle.training.stored_classifier import load_classifier


class Evaluator:
    """Looks at images with the network of a run as it is, and writes down what it finds.

    ``features`` (n, d) are those of all training images for the clusters as they are, None where
    the method asks for none. ``pulse`` is called between two batches with the name of the phase.
    """

    def __init__(
        self,
        run: RunFolder,
        world: World,
        train: TrainConfig,
        task: Task | MultiTask,
        network: nn.Module,
        method: Method | MultiLabel,
        source: ImageSource,
        pulse: Callable[[str], None],
    ) -> None:
        self.run, self.world, self.train = run, world, train
        self.task, self.network, self.method, self.source = task, network, method, source
        self.pulse = pulse
        self.features: np.ndarray | None = None
        self.shown = embedding_task(task)
        self.sample = embedding_sample(self.shown, train.seed, train.n_embedding_samples)

    def extract(self, rows: np.ndarray, phase: str) -> tuple[np.ndarray, np.ndarray]:
        """z and logits of ``rows``, of which every process takes a part."""
        size = extraction_batch(self.source.device)
        mine, n_batches = self.world.shard(len(rows), size)
        found = extract(
            self.network,
            self.source,
            rows[mine],
            precision=self.train.precision,
            n_batches=n_batches,
            tick=lambda: self.pulse(phase),
        )
        features, logits = (self.world.gather_rows(part, len(rows), size) for part in found)
        return features, logits

    def extract_training_features(self, phase: str) -> None:
        """Their latest features, where the method needs them."""
        self.features = None  # two of them at once may not fit
        if self.method.needs_train_features():
            self.features, _ = self.extract(self.task.train, phase)

    def fit_classifier(self, features: np.ndarray, logits: np.ndarray) -> Classifier:
        """The method's classifier, fitted and calibrated on outputs of the validation images."""
        train = self.features if self.features is not None else np.empty((0, 0))
        labels = self.task.labels[self.task.validation]
        validation = (features, logits, labels)
        classifier = self.method.fit_classifier(train, validation)
        return calibrate(classifier, validation, self.train.calibration)

    def metrics(
        self, features: np.ndarray, logits: np.ndarray, n_bootstrap: int = 1000
    ) -> tuple[Classifier, dict[str, Any]]:
        """That rule, and its figures of the validation images it was fitted on."""
        rule = self.fit_classifier(features, logits)
        rows, scores = self.task.validation, rule.scores(features, logits)
        return rule, metrics_of(self.task, rows, scores, n_bootstrap)

    def save_best(self, rule: Classifier, metrics: dict[str, Any], round: int) -> None:
        """Weights and rule of the best round so far, on disk."""
        arrays = rule.arrays()
        if "centroids" in arrays:
            self.run.write_clusters(**arrays)
        facts = {
            "classifier_kind": rule.kind,
            "chosen": rule.chosen(),
            "round": round,
            "validation": metrics,
            "image_shape": list(self.task.images.shape[1:]),
        }
        save_tensors(
            self.run.model_path,
            {
                "network": self.network.state_dict(),
                "rule": {name: torch.from_numpy(a) for name, a in arrays.items()},
            },
            facts,
        )

    def store_embedding(self, round: int) -> None:
        """Features of some images after a round, to be looked at."""
        rows, split = self.sample
        features, _ = self.extract(rows, "validation")
        if features.ndim == 3:
            features = features[:, 0]
        self.run.write_embedding(
            round,
            features=unit_rows(features),
            rows=rows,
            labels=self.shown.labels[rows],
            clusters=clusters_of(rows, split, self.task.train, self.method.assignment()),
            split=split,
        )

    def test(self) -> dict[str, Any]:
        """Figures of validation and test images by the best round, whose weights are loaded."""
        best, facts = load_tensors(self.run.model_path)
        self.network.load_state_dict(best["network"])
        outputs = {
            split: self.extract(self.task.rows(split), "testing")
            for split in ("validation", "test")
        }

        def tested() -> dict[str, Any]:
            rule = load_classifier(self.run, facts)
            found: dict[str, Any] = {}
            for split, (features, logits) in outputs.items():
                scores = rule.scores(features, logits)
                found[split] = metrics_of(self.task, self.task.rows(split), scores)
            return found | {"chosen": facts["chosen"], "best_round": facts["round"]}

        return self.world.broadcast_from_main(tested)
