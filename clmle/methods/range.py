"""Softmax and range loss."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F

from clmle.config import option
from clmle.losses.range import range_loss
from clmle.methods._auxiliary import AuxiliaryLoss
from clmle.methods._base import Outputs, register
from clmle.methods.softmax import SamplingOptions


@dataclass(frozen=True)
class RangeOptions(SamplingOptions):
    """Options of range loss on unit features."""

    weight: float = option(0.03, "weight of the range loss")
    k: int = option(2, "largest distances within a class that are reduced")
    margin: float = option(1.0, "smallest squared distance between class centers")
    inter_weight: float = option(2.0, "weight of the distance between class centers")


@register("range")
class Range(AuxiliaryLoss):
    """Cross-entropy; the largest distances in classes shrink, near centers part (Zhang 2017)."""

    title = "Range loss"
    summary = "Cross-entropy; the largest distances within classes shrink, near centers separate."
    Options = RangeOptions

    def auxiliary_loss(self, outputs: Outputs) -> torch.Tensor:
        o = self.options
        unit = F.normalize(outputs.features, dim=1)
        return range_loss(unit, outputs.labels, k=o.k, margin=o.margin, inter_weight=o.inter_weight)
