"""Circle loss."""

from dataclasses import dataclass

from clmle.config import option
from clmle.methods._base import register
from clmle.methods._pair_loss import PairLoss
from clmle.methods.softmax import SamplingOptions


@dataclass(frozen=True)
class CircleOptions(SamplingOptions):
    """Options of circle loss."""

    m: float = option(0.4, "relaxation factor")
    gamma: float = option(32.0, "scale of the similarities")


@register("circle")
class Circle(PairLoss):
    """Pairs weighted by the distance of their similarity from its optimum; k-NN classifier.

    Sun and others: Circle Loss: A Unified Perspective of Pair Similarity Optimization (CVPR 2020).
    """

    title = "Circle loss + k-NN"
    summary = "Pairs weighted by the distance of their similarity from its optimum."
    Options = CircleOptions
    library_loss = "CircleLoss"
    arguments = ("m", "gamma")
