"""Softmax and marginal loss."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F

from clmle.config import option
from clmle.losses.marginal import marginal_loss
from clmle.methods._auxiliary import AuxiliaryLoss
from clmle.methods._base import Outputs, register
from clmle.methods.softmax import SamplingOptions


@dataclass(frozen=True)
class MarginalOptions(SamplingOptions):
    """Options of marginal loss."""

    weight: float = option(0.1, "weight of the marginal loss")
    threshold: float = option(1.2, "theta, squared distance that separates same from different")
    margin: float = option(0.3, "xi, margin on both sides of the threshold")


@register("marginal")
class Marginal(AuxiliaryLoss):
    """Cross-entropy plus a hinge on the distances of all pairs of a batch (Deng 2017)."""

    title = "Marginal loss"
    summary = "Cross-entropy; all pairs of a batch on the right side of a distance threshold."
    Options = MarginalOptions

    def auxiliary_loss(self, outputs: Outputs) -> torch.Tensor:
        unit = F.normalize(outputs.features, dim=1)
        return marginal_loss(unit, outputs.labels, self.options.threshold, self.options.margin)
