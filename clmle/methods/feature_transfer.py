"""Feature transfer: the minority classes take over the feature variance of the large ones."""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from clmle.classifiers._base import Classifier, Validation
from clmle.classifiers.linear import LinearClassifier
from clmle.config import option
from clmle.device import to_device
from clmle.methods._base import Batch, Loss, Outputs, register
from clmle.methods._frozen_features import FrozenFeatures, class_means


@dataclass(frozen=True)
class FeatureTransferOptions:
    """Options of feature transfer."""

    dimensions: int = option(16, "principal directions of the shared within-class variance")
    weight: float = option(0.5, "weight of the cross-entropy on transferred features")


@register("feature-transfer")
class FeatureTransfer(FrozenFeatures):
    """Synthetic features c_i + Q Q^T (f_j - c_j) of minority classes i from samples f_j of others.

    The columns of Q (d, k) are the principal directions of the within-class variance of the
    classes of at least mean size, and c are the class means; both are updated every round. Every
    sample of these classes in a batch gives one synthetic feature.

    Yin, Yu, Sohn, Liu, Chandraker: Feature Transfer Learning for Face Recognition with
    Under-Represented Data (CVPR 2019), Eq. 4, without the decoder of images.
    """

    title = "Feature transfer"
    summary = "Synthetic minority features with the variance of the large classes."
    Options = FeatureTransferOptions

    def build(self) -> None:
        self.linear = nn.Linear(self.feature_dim, self.n_classes)
        self.memory = nn.Module()
        self.memory.register_buffer("means", torch.zeros(self.n_classes, self.feature_dim))
        self.memory.register_buffer("directions", torch.zeros(self.feature_dim, self.feature_dim))
        self.modules["classifier"], self.modules["memory"] = self.linear, self.memory
        self.rare = self.counts < self.counts.mean()

    def start_round(
        self, round: int, features: np.ndarray | None, prior: np.ndarray | None = None
    ) -> None:
        if round == 0:
            return  # features of an untrained network
        assert features is not None
        means = class_means(features, self.labels, self.n_classes)
        large = ~self.rare[self.labels]
        within = features[large] - means[self.labels[large]]
        _, vectors = np.linalg.eigh(within.T @ within / max(1, len(within)))
        q = vectors[:, -self.options.dimensions :]
        device = self.linear.weight.device
        self.memory.means = torch.as_tensor(means, dtype=torch.float32, device=device)
        self.memory.directions = torch.as_tensor(q @ q.T, dtype=torch.float32, device=device)

    def loss(self, outputs: Outputs, batch: Batch) -> Loss:
        labels = outputs.labels
        softmax = F.cross_entropy(self.linear(outputs.features), labels)
        parts = {"softmax": softmax.detach()}
        rare = np.flatnonzero(self.rare)
        donors = np.flatnonzero(~self.rare[self.labels[batch.indices]])
        means, shared = self.memory.get_buffer("means"), self.memory.get_buffer("directions")
        if len(rare) == 0 or len(donors) == 0 or not bool(shared.any()):
            return Loss(softmax, parts)
        rows = to_device(donors, labels.device)
        features, given = outputs.features[rows], labels[rows]
        spread = (features - means[given]) @ shared
        # The minority classes take the deviations of the donors in turn.
        taken = to_device(np.resize(rare, len(given)), labels.device)
        transferred = F.cross_entropy(self.linear(means[taken] + spread), taken)
        kept = F.cross_entropy(self.linear(features), given)
        parts["transferred"] = transferred.detach()
        return Loss(softmax + self.options.weight * (transferred + kept) / 2, parts)

    def fit_classifier(self, train_features: np.ndarray, validation: Validation) -> Classifier:
        weights = self.linear.weight.detach().float().cpu().numpy()
        bias = self.linear.bias.detach().float().cpu().numpy()
        return LinearClassifier(weights, bias, False, "largest logit")
