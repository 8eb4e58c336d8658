"""Training of CLMLE on rows of features in memory: the phases of a run, without its folder."""

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from clmle.classifiers._base import Classifier, Validation, accuracy_of_scores
from clmle.classifiers.calibration import fit_calibration
from clmle.config import Config
from clmle.data.base import Task
from clmle.data.multilabel import MultiTask
from clmle.device import to_device
from clmle.errors import InputError
from clmle.methods import Method, get_method
from clmle.methods._base import Outputs
from clmle.methods._multi_label import MultiLabel
from clmle.models.feature_network import FeatureNetwork, dense_layers
from clmle.threads import fitting_threads
from clmle.training.extraction import extract, pick_device
from clmle.training.factory import make_method, make_network
from clmle.training.images import ImageSource
from clmle.training.sgd import SGD


@dataclass(frozen=True)
class Embedding:
    """A trained network with its classifier, of the best round on validation rows.

    Attributes
    ----------
    network : nn.Module
        Rows (n, d, 1, 1) to z and logits.
    classifier : Classifier
        Nearest clusters and head, calibrated.
    validation : tuple of arrays
        z, logits and labels of the validation rows.
    accuracy : float
        Balanced accuracy on validation rows; the mean over labels of a multi-label task.
    is_calibrated : bool
    """

    network: nn.Module
    classifier: Classifier
    validation: Validation
    accuracy: float
    is_calibrated: bool


def train_embedding(task: Task | MultiTask, config: Config, hidden: Sequence[int]) -> Embedding:
    """Train the network of a task on rows of features; ``hidden`` are units of hidden layers."""
    t = config.train
    device = pick_device(t.device)
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(t.seed)
        network = make_network(task, t, config.options)
        if hidden:
            backbone = network.backbone
            assert isinstance(backbone, FeatureNetwork)
            n_out, n_in = next(backbone.layers.parameters()).shape
            backbone.layers = dense_layers(n_in, hidden, n_out)
        weights = sum(parameter.numel() for parameter in network.parameters())
        with fitting_threads(t.batch_size * weights):
            source = ImageSource(task.images, device)
            return _Training(task, config, network.to(device), source).run()


class _Training:
    """Steps and rounds of :func:`train_embedding`."""

    def __init__(
        self, task: Task | MultiTask, config: Config, network: nn.Module, source: ImageSource
    ) -> None:
        self.task, self.config, self.network, self.source = task, config, network, source
        t = config.train
        self.labels = torch.from_numpy(task.labels).to(source.device)
        self.method = make_method(config.method, config.options, task, t)
        self.parameters = list(network.parameters())
        self.optimizer = SGD(self.parameters, t.learning_rate, t.momentum, t.weight_decay)
        self.step = 0

    def run(self) -> Embedding:
        t = self.config.train
        first = make_method(
            t.pretrain_method, get_method(t.pretrain_method).Options(), self.task, t
        )
        pretrain = min(t.pretrain_iterations, t.iterations)
        best: Embedding | None = None
        for round in range(t.rounds + 1):
            end = pretrain + (t.iterations - pretrain) * round // t.rounds
            while self.step < end:
                self.one_step(self.method if round else first)
            found = self.evaluated(round)
            # Of two equal rounds the later one, which was trained for longer, is kept.
            if best is None or found.accuracy >= best.accuracy:
                best = found
        assert best is not None
        return best

    def one_step(self, method: Method | MultiLabel) -> None:
        """Train one batch, as :meth:`clmle.training.trainer.Trainer.one_step` does."""
        t = self.config.train
        batch = method.sample_batch(self.step)
        rows = self.task.train[batch.indices]
        self.network.train()
        z, logits = self.network(self.source.batch(rows), method.detach_head)
        labels = self.labels[to_device(rows, self.source.device)]
        loss = method.loss(Outputs(z, logits, labels, self.step / t.iterations), batch)
        self.optimizer.zero_grad()
        loss.total.backward()
        loss.after_backward()
        norm = torch.nn.utils.clip_grad_norm_(self.parameters, t.grad_clip_norm or math.inf)
        if not bool(torch.isfinite(norm)):
            raise InputError(
                f"The loss is not a finite number at step {self.step}; lower learning_rate."
            )
        rate = 0.5 * (1 + math.cos(math.pi * self.step / t.iterations))
        self.optimizer.learning_rate = t.learning_rate * rate
        self.optimizer.step()
        self.step += 1

    def evaluated(self, round: int) -> Embedding:
        """Make new clusters and fit and evaluate the classifier on validation rows."""
        features, _ = extract(self.network, self.source, self.task.train)
        self.method.start_round(round, features)
        rows = self.task.validation
        validation = (*extract(self.network, self.source, rows), self.task.labels[rows])
        fitted = self.method.fit_classifier(features, validation)
        classifier, sentences = fit_calibration(fitted, validation, self.config.train.calibration)
        rejected = any("left out" in sentence for sentence in sentences)
        metrics = self.metrics(classifier.scores(*validation[:2]), validation[2])
        self.method.on_validation(metrics)
        network = copy.deepcopy(self.network).cpu().double().eval()
        return Embedding(
            network, classifier, validation, metrics["balanced_accuracy"], not rejected
        )

    def metrics(self, scores: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
        """Balanced accuracy; for several labels the mean, and that of each."""
        if isinstance(self.task, Task):
            return {"balanced_accuracy": accuracy_of_scores(labels, scores)}
        each = {
            name: {"balanced_accuracy": accuracy_of_scores(labels[:, a], scores[:, a])}
            for a, name in enumerate(self.task.attributes)
        }
        mean = float(np.mean([one["balanced_accuracy"] for one in each.values()]))
        return {"balanced_accuracy": mean, "attributes": each}
