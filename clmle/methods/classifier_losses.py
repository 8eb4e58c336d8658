"""Classifier losses of pytorch-metric-learning: class weights on the sphere, with a margin.

Each is an adapter of a few lines: CosFace (LMCL), ArcFace, sub-center ArcFace, normalized softmax
and SoftTriple; multiplied_angle.py has L-Softmax and A-Softmax. Their class weights train beside
the network and judge by the loss's own logits without margin.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch

from clmle.classifiers._base import Classifier, unit_rows
from clmle.classifiers.knn import PrototypeClassifier
from clmle.classifiers.linear import LinearClassifier
from clmle.config import option
from clmle.data.base import Task
from clmle.methods.base import Batch, Loss, Outputs, register
from clmle.methods.softmax import Drawn, Softmax


class ClassifierLoss(Softmax):
    """Adapter: a subclass says which loss it makes and where that keeps its class weights."""

    Options: ClassVar[type] = Drawn

    def __init__(
        self, options: Any, task: Task, batch_size: int, seed: int, feature_dim: int = 64
    ) -> None:
        super().__init__(options, task, batch_size, seed, feature_dim)
        self.criterion = self.make()
        self.modules["criterion"] = self.criterion

    def make(self) -> torch.nn.Module:
        """The loss of pytorch-metric-learning."""
        raise NotImplementedError

    def loss(self, outputs: Outputs, batch: Batch) -> Loss:
        loss = self.criterion(outputs.features, outputs.labels)
        return Loss(loss, {"margin softmax": loss.detach()})

    def class_weights_found(self) -> np.ndarray:
        """(C, d), or (C m, d) with the m centers of a class together."""
        weights: np.ndarray = self.criterion.state_dict()["W"].float().cpu().numpy().T
        return weights

    def fit_classifier(
        self,
        train_features: np.ndarray,
        validation: tuple[np.ndarray, np.ndarray, np.ndarray],
    ) -> Classifier:
        weights = unit_rows(self.class_weights_found())
        if len(weights) == self.n_classes:
            return LinearClassifier(
                weights, np.zeros(len(weights), np.float32), True, "largest cosine"
            )
        per_class = len(weights) // self.n_classes
        return PrototypeClassifier(weights, np.repeat(np.arange(self.n_classes), per_class))


@dataclass(frozen=True)
class CosFaceOptions(Drawn):
    """Additive cosine margin."""

    margin: float = option(0.35, "m, taken off the cosine to one's own class")
    scale: float = option(16.0, "s of the cosines")


@register("cosface")
class CosFace(ClassifierLoss):
    """Wang and others: CosFace: Large Margin Cosine Loss (CVPR 2018)."""

    title: ClassVar[str] = "CosFace (LMCL)"
    summary: ClassVar[str] = "Softmax of cosines with a margin taken off one's own."
    Options: ClassVar[type] = CosFaceOptions

    def make(self) -> torch.nn.Module:
        from pytorch_metric_learning.losses import CosFaceLoss

        o = self.options
        loss: torch.nn.Module = CosFaceLoss(
            self.n_classes, self.feature_dim, margin=o.margin, scale=o.scale
        )
        return loss


@dataclass(frozen=True)
class ArcFaceOptions(Drawn):
    """Additive angular margin."""

    margin: float = option(28.6, "m in degrees, added to the angle to one's own class")
    scale: float = option(16.0, "s of the cosines")


@register("arcface")
class ArcFace(ClassifierLoss):
    """Deng, Guo, Xue, Zafeiriou: ArcFace (CVPR 2019)."""

    title: ClassVar[str] = "ArcFace"
    summary: ClassVar[str] = "Softmax of cosines with an angle added to one's own class."
    Options: ClassVar[type] = ArcFaceOptions

    def make(self) -> torch.nn.Module:
        from pytorch_metric_learning.losses import ArcFaceLoss

        o = self.options
        loss: torch.nn.Module = ArcFaceLoss(
            self.n_classes, self.feature_dim, margin=o.margin, scale=o.scale
        )
        return loss


@dataclass(frozen=True)
class SubCenterOptions(ArcFaceOptions):
    """ArcFace with several centers a class."""

    sub_centers: int = option(3, "centers of a class; the nearest counts")


@register("sub-center-arcface")
class SubCenterArcFace(ClassifierLoss):
    """Deng, Guo, Liu, Gong, Zafeiriou: Sub-center ArcFace (ECCV 2020)."""

    title: ClassVar[str] = "Sub-center ArcFace"
    summary: ClassVar[str] = "ArcFace in which a class has several centers."
    Options: ClassVar[type] = SubCenterOptions

    def make(self) -> torch.nn.Module:
        from pytorch_metric_learning.losses import SubCenterArcFaceLoss

        o = self.options
        loss: torch.nn.Module = SubCenterArcFaceLoss(
            num_classes=self.n_classes,
            embedding_size=self.feature_dim,
            margin=o.margin,
            scale=o.scale,
            sub_centers=o.sub_centers,
        )
        return loss


@dataclass(frozen=True)
class TemperatureOptions(Drawn):
    """Normalized softmax."""

    temperature: float = option(0.1, "cosines are divided by it")


@register("normalized-softmax")
class NormalizedSoftmax(ClassifierLoss):
    """Zhai and Wu: Classification is a Strong Baseline for Deep Metric Learning (BMVC 2019)."""

    title: ClassVar[str] = "Normalized softmax"
    summary: ClassVar[str] = "Softmax of cosines, without a margin."
    Options: ClassVar[type] = TemperatureOptions

    def make(self) -> torch.nn.Module:
        from pytorch_metric_learning.losses import NormalizedSoftmaxLoss

        loss: torch.nn.Module = NormalizedSoftmaxLoss(
            self.n_classes, self.feature_dim, temperature=self.options.temperature
        )
        return loss


@dataclass(frozen=True)
class SoftTripleOptions(Drawn):
    """SoftTriple."""

    centers_per_class: int = option(5, "centers of a class, softly joined")
    scale: float = option(16.0, "lambda of the paper")
    gamma: float = option(0.1, "temperature of the choice among a class's centers")
    margin: float = option(0.01, "delta, taken off the similarity to one's own class")


@register("soft-triple")
class SoftTriple(ClassifierLoss):
    """Qian and others: SoftTriple Loss (ICCV 2019): several centers a class, no sampling."""

    title: ClassVar[str] = "SoftTriple"
    summary: ClassVar[str] = "Softmax over several softly joined centers of every class."
    Options: ClassVar[type] = SoftTripleOptions

    def make(self) -> torch.nn.Module:
        from pytorch_metric_learning.losses import SoftTripleLoss

        o = self.options
        loss: torch.nn.Module = SoftTripleLoss(
            self.n_classes,
            self.feature_dim,
            centers_per_class=o.centers_per_class,
            la=o.scale,
            gamma=o.gamma,
            margin=o.margin,
        )
        return loss

    def class_weights_found(self) -> np.ndarray:
        centers = self.criterion.state_dict()["fc"]
        weights: np.ndarray = centers.float().cpu().numpy().T
        return weights
