"""Pair losses of pytorch-metric-learning, alone with k-NN or beside a softmax."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F

from clmle.classifiers._base import Classifier, best_classifier
from clmle.classifiers.knn import KNNClassifier
from clmle.config import option
from clmle.data.base import Task
from clmle.methods.base import Batch, Loss, Outputs, register
from clmle.methods.decoupled import logistic
from clmle.methods.softmax import Drawn, Softmax


class PairLoss(Softmax):
    """Adapter: a loss on the features of a batch; judged by k-NN, k chosen on validation data."""

    Options: ClassVar[type] = Drawn
    miner: Any = None

    def __init__(
        self, options: Any, task: Task, batch_size: int, seed: int, feature_dim: int = 64
    ) -> None:
        super().__init__(options, task, batch_size, seed, feature_dim)
        self.criterion = self.make()

    def make(self) -> Any:
        """The loss of pytorch-metric-learning, with its miner where it needs one."""
        raise NotImplementedError

    def pair_loss(self, features: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        mined = self.miner(features, labels) if self.miner is not None else None
        loss: torch.Tensor = self.criterion(features, labels, mined)
        return loss

    def loss(self, outputs: Outputs, batch: Batch) -> Loss:
        loss = self.pair_loss(outputs.features, outputs.labels)
        return Loss(loss, {"pairs": loss.detach()})

    def needs_train_features(self) -> bool:
        return True

    def fit_classifier(
        self,
        train_features: np.ndarray,
        validation: tuple[np.ndarray, np.ndarray, np.ndarray],
    ) -> Classifier:
        ks = (min(k, len(self.labels)) for k in (1, 5, 15, 31))
        rules = (KNNClassifier(train_features, self.labels, k, self.n_classes) for k in ks)
        return best_classifier(rules, validation)


@dataclass(frozen=True)
class TripletOptions(Drawn):
    """Triplet loss."""

    margin: float = option(0.2, "g of Eq. 2, between squared distances of unit features")


@register("triplet")
class Triplet(PairLoss):
    """Eqs. 1 and 2 with semi-hard triplets, judged by k-NN (Schroff 2015)."""

    title: ClassVar[str] = "Triplet + k-NN"
    summary: ClassVar[str] = "Semi-hard triplets; the nearest training images vote."
    Options: ClassVar[type] = TripletOptions
    family: ClassVar[str] = "metric"

    def make(self) -> Any:
        from pytorch_metric_learning.distances import LpDistance
        from pytorch_metric_learning.losses import TripletMarginLoss
        from pytorch_metric_learning.miners import TripletMarginMiner

        distance = LpDistance(power=2)
        self.miner = TripletMarginMiner(
            margin=self.options.margin, type_of_triplets="semihard", distance=distance
        )
        return TripletMarginLoss(margin=self.options.margin, distance=distance)


@dataclass(frozen=True)
class CircleOptions(Drawn):
    """Circle loss."""

    m: float = option(0.4, "relaxation of the circle")
    gamma: float = option(32.0, "scale")


@register("circle")
class Circle(PairLoss):
    """Sun and others: Circle Loss (CVPR 2020), judged by k-NN."""

    title: ClassVar[str] = "Circle loss + k-NN"
    summary: ClassVar[str] = "Pairs weigh by how far they are from where they should be."
    Options: ClassVar[type] = CircleOptions
    family: ClassVar[str] = "metric"

    def make(self) -> Any:
        from pytorch_metric_learning.losses import CircleLoss

        return CircleLoss(self.options.m, self.options.gamma)


@dataclass(frozen=True)
class MultiSimilarityOptions(Drawn):
    """Multi-similarity loss."""

    alpha: float = option(2.0, "weight of positive pairs' exponent")
    beta: float = option(50.0, "weight of negative pairs' exponent")
    base: float = option(0.5, "similarity between the two")
    epsilon: float = option(0.1, "room of the choice of pairs that inform")


@register("multi-similarity")
class MultiSimilarity(PairLoss):
    """Wang and others: Multi-Similarity Loss (CVPR 2019), judged by k-NN."""

    title: ClassVar[str] = "Multi-similarity + k-NN"
    summary: ClassVar[str] = "Pairs weigh by their own and by relative similarity."
    Options: ClassVar[type] = MultiSimilarityOptions
    family: ClassVar[str] = "metric"

    def make(self) -> Any:
        from pytorch_metric_learning.losses import MultiSimilarityLoss
        from pytorch_metric_learning.miners import MultiSimilarityMiner

        o = self.options
        self.miner = MultiSimilarityMiner(o.epsilon)
        return MultiSimilarityLoss(o.alpha, o.beta, o.base)


@dataclass(frozen=True)
class SupConOptions(Drawn):
    """Supervised contrastive loss."""

    temperature: float = option(0.1, "of similarities")


@register("supcon")
class SupCon(PairLoss):
    """Khosla and others: Supervised Contrastive Learning (NeurIPS 2020), one view an image.

    Judged by a linear classifier fitted on the frozen features, as the paper does.
    """

    title: ClassVar[str] = "Supervised contrastive"
    summary: ClassVar[str] = "All images of a class attract; a linear classifier judges after."
    Options: ClassVar[type] = SupConOptions
    family: ClassVar[str] = "metric"

    def make(self) -> Any:
        from pytorch_metric_learning.losses import SupConLoss

        return SupConLoss(self.options.temperature)

    def fit_classifier(
        self,
        train_features: np.ndarray,
        validation: tuple[np.ndarray, np.ndarray, np.ndarray],
    ) -> Classifier:
        return logistic(train_features, self.labels, self.n_classes, "linear on frozen features")


@dataclass(frozen=True)
class ContrastiveOptions(Drawn):
    """Softmax + contrastive (DeepID2)."""

    margin: float = option(0.5, "distance that different classes keep at least, unit features")
    weight: float = option(0.1, "of the contrastive term")


@register("contrastive")
class Contrastive(PairLoss):
    """Softmax + contrastive loss on pairs (DeepID2, Sun 2014), judged by the softmax."""

    title: ClassVar[str] = "Softmax + contrastive"
    summary: ClassVar[str] = "Pairs of a class attract, others keep a distance; softmax beside."
    Options: ClassVar[type] = ContrastiveOptions

    def make(self) -> Any:
        from pytorch_metric_learning.losses import ContrastiveLoss

        return ContrastiveLoss(pos_margin=0.0, neg_margin=self.options.margin)

    def loss(self, outputs: Outputs, batch: Batch) -> Loss:
        pairs = self.pair_loss(outputs.features, outputs.labels)
        softmax = F.cross_entropy(outputs.logits, outputs.labels)
        total = softmax + self.options.weight * pairs
        return Loss(total, {"softmax": softmax.detach(), "pairs": pairs.detach()})

    def needs_train_features(self) -> bool:
        return False

    def fit_classifier(
        self,
        train_features: np.ndarray,
        validation: tuple[np.ndarray, np.ndarray, np.ndarray],
    ) -> Classifier:
        return Softmax.fit_classifier(self, train_features, validation)
