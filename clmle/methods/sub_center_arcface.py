"""Sub-center ArcFace: several centers per class."""

from dataclasses import dataclass

from clmle.config import option
from clmle.methods._angular import AngularLoss
from clmle.methods._base import register
from clmle.methods.arcface import ArcFaceOptions


@dataclass(frozen=True)
class SubCenterOptions(ArcFaceOptions):
    """Options of sub-center ArcFace."""

    sub_centers: int = option(3, "centers per class, of which the nearest counts")


@register("sub-center-arcface")
class SubCenterArcFace(AngularLoss):
    """ArcFace with several centers per class, of which the nearest counts.

    Deng, Guo, Liu, Gong, Zafeiriou: Sub-center ArcFace: Boosting Face Recognition by Large-scale
    Noisy Web Faces (ECCV 2020).
    """

    title = "Sub-center ArcFace"
    summary = "ArcFace with several centers per class."
    Options = SubCenterOptions
    library_loss = "SubCenterArcFaceLoss"
    arguments = ("margin", "scale", "sub_centers")
