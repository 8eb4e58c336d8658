"""CosFace (large margin cosine loss)."""

from dataclasses import dataclass

from clmle.config import option
from clmle.methods._angular import AngularLoss
from clmle.methods._base import register
from clmle.methods.softmax import SamplingOptions


@dataclass(frozen=True)
class CosFaceOptions(SamplingOptions):
    """Options of CosFace."""

    margin: float = option(0.35, "m, subtracted from the cosine to the true class")
    scale: float = option(16.0, "s, scale of the cosines")


@register("cosface")
class CosFace(AngularLoss):
    """Softmax of cosines with a margin subtracted from the cosine to the true class.

    Wang and others: CosFace: Large Margin Cosine Loss for Deep Face Recognition (CVPR 2018).
    """

    title = "CosFace (LMCL)"
    summary = "Softmax of cosines with a margin subtracted from that of the true class."
    Options = CosFaceOptions
    library_loss = "CosFaceLoss"
    arguments = ("margin", "scale")
