"""SoftTriple: softmax over several centers per class."""

from dataclasses import dataclass
from typing import Any

from clmle.config import option
from clmle.methods._angular import AngularLoss
from clmle.methods._base import register
from clmle.methods.softmax import SamplingOptions


@dataclass(frozen=True)
class SoftTripleOptions(SamplingOptions):
    """Options of SoftTriple."""

    centers_per_class: int = option(5, "centers per class")
    scale: float = option(16.0, "lambda, scale of the similarities")
    gamma: float = option(0.1, "temperature of the assignment to the centers of a class")
    margin: float = option(0.01, "delta, subtracted from the similarity to the true class")


@register("soft-triple")
class SoftTriple(AngularLoss):
    """Softmax over classes with several softly assigned centers each; no triplet sampling.

    Qian and others: SoftTriple Loss: Deep Metric Learning Without Triplet Sampling (ICCV 2019).
    """

    title = "SoftTriple"
    summary = "Softmax over classes with several softly assigned centers each."
    Options = SoftTripleOptions
    stored_weights = "fc"

    def make(self) -> Any:
        from pytorch_metric_learning.losses import SoftTripleLoss

        o = self.options
        return SoftTripleLoss(
            self.n_classes, self.feature_dim, o.centers_per_class, o.scale, o.gamma, o.margin
        )
