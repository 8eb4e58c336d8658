"""Center-invariant loss: center loss with centers of equal length."""

from dataclasses import dataclass

import torch

from clmle.config import option
from clmle.losses.center import center_invariant_loss, center_loss
from clmle.methods._base import Outputs, register
from clmle.methods.center import Center
from clmle.methods.softmax import SamplingOptions


@dataclass(frozen=True)
class CenterInvariantOptions(SamplingOptions):
    """Options of center-invariant loss."""

    weight: float = option(0.003, "weight of the center loss")
    invariant: float = option(0.1, "weight of the invariant term, relative to the center loss")


@register("center-invariant")
class CenterInvariant(Center):
    """Center loss plus a penalty on class centers of different lengths (Wu 2017)."""

    title = "Center-invariant loss"
    summary = "Center loss with centers of equal length."
    Options = CenterInvariantOptions
    learned = True

    def auxiliary_loss(self, outputs: Outputs) -> torch.Tensor:
        centers = self.memory.centers
        loss = center_loss(outputs.features, outputs.labels, centers)
        weight: float = self.options.invariant
        return loss + weight * center_invariant_loss(outputs.labels, centers)
