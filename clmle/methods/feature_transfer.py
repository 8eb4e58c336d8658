"""Feature transfer: a rare class borrows the variance of the frequent ones (Yin 2019)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from clmle.classifiers._base import Classifier
from clmle.classifiers.linear import LinearClassifier
from clmle.config import option
from clmle.data.base import Task
from clmle.methods.base import Batch, Loss, Outputs, register
from clmle.methods.decoupled import PlainFeatures, class_means


@dataclass(frozen=True)
class TransferOptions:
    """Feature transfer."""

    dimensions: int = option(16, "principal directions of the shared within-class variance")
    weight: float = option(0.5, "of the softmax on transferred features")


@register("feature-transfer")
class FeatureTransfer(PlainFeatures):
    """Synthetic features c_i + Q Q^T (f_j - c_j) of rare classes i from samples f_j of frequent j.

    Q (d, k) are the principal directions of within-class variance over the frequent classes,
    c the class means, both renewed every round. As many are made of a rare class in a batch as it
    takes to even the classes out. Yin, Yu, Sohn, Liu, Chandraker: Feature Transfer Learning for
    Face Recognition with Under-Represented Data (CVPR 2019), Eq. 4; its decoder of images is
    left out.
    """

    title: ClassVar[str] = "Feature transfer"
    summary: ClassVar[str] = "Rare classes get features with the frequent classes' variance."
    Options: ClassVar[type] = TransferOptions

    def __init__(
        self, options: Any, task: Task, batch_size: int, seed: int, feature_dim: int = 64
    ) -> None:
        super().__init__(options, task, batch_size, seed, feature_dim)
        self.linear = nn.Linear(feature_dim, self.n_classes)
        self.memory = nn.Module()
        self.memory.register_buffer("means", torch.zeros(self.n_classes, feature_dim))
        self.memory.register_buffer("directions", torch.zeros(feature_dim, feature_dim))
        self.modules["classifier"], self.modules["memory"] = self.linear, self.memory
        self.rare = self.counts < self.counts.mean()

    def start_round(
        self, round: int, features: np.ndarray | None, prior: np.ndarray | None = None
    ) -> None:
        assert features is not None
        means = class_means(features, self.labels, self.n_classes)
        kept = ~self.rare[self.labels]
        inside = features[kept] - means[self.labels[kept]]
        _, vectors = np.linalg.eigh(inside.T @ inside / max(1, len(inside)))
        q = vectors[:, -self.options.dimensions :]
        device = self.linear.weight.device
        if round == 0:
            return  # features of fresh weights have nothing to lend
        self.memory.means = torch.as_tensor(means, dtype=torch.float32, device=device)
        self.memory.directions = torch.as_tensor(q @ q.T, dtype=torch.float32, device=device)

    def loss(self, outputs: Outputs, batch: Batch) -> Loss:
        labels = outputs.labels
        softmax = F.cross_entropy(self.linear(outputs.features), labels)
        parts = {"softmax": softmax.detach()}
        rare = np.flatnonzero(self.rare)
        donors = torch.from_numpy(~self.rare).to(labels.device)[labels]
        means, shared = self.memory.get_buffer("means"), self.memory.get_buffer("directions")
        if len(rare) == 0 or not bool(donors.any()) or not bool(shared.any()):
            return Loss(softmax, parts)
        features, given = outputs.features[donors], labels[donors]
        spread = (features - means[given]) @ shared
        # Every donor lends its deviation to one rare class, in turn.
        taken = torch.as_tensor(np.resize(rare, len(given)), device=labels.device)
        transferred = F.cross_entropy(self.linear(means[taken] + spread), taken)
        kept = F.cross_entropy(self.linear(features), given)
        parts["transferred"] = transferred.detach()
        weight = self.options.weight
        return Loss(softmax + weight * (transferred + kept) / 2, parts)

    def fit_classifier(
        self,
        train_features: np.ndarray,
        validation: tuple[np.ndarray, np.ndarray, np.ndarray],
    ) -> Classifier:
        weights = self.linear.weight.detach().float().cpu().numpy()
        bias = self.linear.bias.detach().float().cpu().numpy()
        return LinearClassifier(weights, bias, False, "largest logit")
