"""Sub-center ArcFace: several centers per class."""

from dataclasses import dataclass
from typing import Any

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

    def make(self) -> Any:
        from pytorch_metric_learning.losses import SubCenterArcFaceLoss

        o = self.options
        return SubCenterArcFaceLoss(
            num_classes=self.n_classes,
            embedding_size=self.feature_dim,
            margin=o.margin,
            scale=o.scale,
            sub_centers=o.sub_centers,
        )
