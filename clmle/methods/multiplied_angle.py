"""L-Softmax and A-Softmax (SphereFace): the angle to one's own class is multiplied by m.

A network that starts at random does not find its way under cos(m t): both papers begin with a
plain softmax and mix the margin in, (lambda cos t + psi(t)) / (1 + lambda). That schedule is not
part of pytorch-metric-learning's losses, so it is here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch

from clmle.classifiers._base import Classifier
from clmle.classifiers.linear import LinearClassifier
from clmle.config import option
from clmle.methods.base import Batch, Loss, Outputs, register
from clmle.methods.classifier_losses import ClassifierLoss
from clmle.methods.softmax import Drawn


def annealed(progress: float, least: float, first: float = 1000.0, speed: float = 3300.0) -> float:
    """lambda at a share of the run: first / (1 + speed progress), never below ``least``.

    SphereFace's authors train with 1000 / (1 + 0.12 t) over 28,000 steps t and a least of 5, which
    is reached in the sixteenth part of the run; ``speed`` is 0.12 x 28,000.
    """
    return max(least, first / (1 + speed * progress))


@dataclass(frozen=True)
class LSoftmaxOptions(Drawn):
    """Large-margin softmax."""

    margin: int = option(2, "m, whole number that multiplies the angle to one's own class")
    least_lambda: float = option(5.0, "the plain cosine's weight beside the margin's at the end")


class AngularMultiplier(ClassifierLoss):
    """What both share: the mixed cosine of one's own class."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.mixed = annealed(0.0, self.options.least_lambda)
        multiplied: Any = self.criterion.modify_cosine_of_target_classes

        def mixed_cosine(cosine: torch.Tensor) -> torch.Tensor:
            mixed: torch.Tensor = (self.mixed * cosine + multiplied(cosine)) / (1 + self.mixed)
            return mixed

        vars(self.criterion)["modify_cosine_of_target_classes"] = mixed_cosine

    def loss(self, outputs: Outputs, batch: Batch) -> Loss:
        self.mixed = annealed(outputs.progress, self.options.least_lambda)
        return super().loss(outputs, batch)


@register("l-softmax")
class LSoftmax(AngularMultiplier):
    """Liu, Wen, Yu, Yang: Large-Margin Softmax Loss (ICML 2016)."""

    title: ClassVar[str] = "L-Softmax"
    summary: ClassVar[str] = "Softmax whose own-class angle is multiplied by m."
    Options: ClassVar[type] = LSoftmaxOptions

    def make(self) -> torch.nn.Module:
        from pytorch_metric_learning.losses import LargeMarginSoftmaxLoss
        from pytorch_metric_learning.utils.common_functions import TorchInitWrapper

        # Class weights of length 1 or so, as a linear head has: their length scales the logits.
        start = TorchInitWrapper(torch.nn.init.normal_, std=self.feature_dim**-0.5)
        loss: torch.nn.Module = LargeMarginSoftmaxLoss(
            self.n_classes, self.feature_dim, self.options.margin, weight_init_func=start
        )
        return loss

    def fit_classifier(
        self,
        train_features: np.ndarray,
        validation: tuple[np.ndarray, np.ndarray, np.ndarray],
    ) -> Classifier:
        # Its class weights have lengths of their own, which take part in its logits.
        weights = self.class_weights_found()
        return LinearClassifier(weights, np.zeros(len(weights), np.float32), False, "largest logit")


@dataclass(frozen=True)
class SphereFaceOptions(LSoftmaxOptions):
    """A-Softmax."""

    scale: float = option(1.0, "s, times the length of the feature; the paper has 1")


@register("sphereface")
class SphereFace(AngularMultiplier):
    """Liu and others: SphereFace (CVPR 2017); Eq. 3 of the CLMLE paper."""

    title: ClassVar[str] = "A-Softmax (SphereFace)"
    summary: ClassVar[str] = "L-Softmax with class weights of unit length."
    Options: ClassVar[type] = SphereFaceOptions

    def make(self) -> torch.nn.Module:
        from pytorch_metric_learning.losses import SphereFaceLoss

        o = self.options
        loss: torch.nn.Module = SphereFaceLoss(
            self.n_classes, self.feature_dim, margin=o.margin, scale=o.scale
        )
        return loss
