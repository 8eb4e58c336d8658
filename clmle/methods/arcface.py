"""ArcFace: softmax of cosines with an additive angular margin."""

from dataclasses import dataclass

from clmle.config import option
from clmle.methods._angular import AngularLoss
from clmle.methods._base import register
from clmle.methods.softmax import SamplingOptions


@dataclass(frozen=True)
class ArcFaceOptions(SamplingOptions):
    """Options of ArcFace."""

    margin: float = option(28.6, "m in degrees, added to the angle to the true class")
    scale: float = option(16.0, "s, scale of the cosines")


@register("arcface")
class ArcFace(AngularLoss):
    """Softmax of cosines with a margin added to the angle to the true class.

    Deng, Guo, Xue, Zafeiriou: ArcFace: Additive Angular Margin Loss for Deep Face Recognition (CVPR
    2019).
    """

    title = "ArcFace"
    summary = "Softmax of cosines with a margin added to the angle to the true class."
    Options = ArcFaceOptions
    library_loss = "ArcFaceLoss"
    arguments = ("margin", "scale")
