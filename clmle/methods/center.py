"""Softmax and center loss."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn

from clmle.config import option
from clmle.losses.center import center_loss, move_centers
from clmle.methods._auxiliary import AuxiliaryLoss
from clmle.methods._base import Outputs, register
from clmle.methods.softmax import SamplingOptions


class Centers(nn.Module):
    """Class centers (C, d), stored with the run; a buffer, or a parameter if ``learned``."""

    def __init__(self, n_classes: int, dim: int, learned: bool) -> None:
        super().__init__()
        start = torch.randn(n_classes, dim, generator=torch.Generator().manual_seed(0)) * 0.1
        if learned:
            self.centers: torch.Tensor = nn.Parameter(start)
        else:
            self.register_buffer("centers", start)


@dataclass(frozen=True)
class CenterOptions(SamplingOptions):
    """Options of center loss."""

    weight: float = option(0.003, "lambda, weight of the center loss")
    rate: float = option(0.5, "alpha, learning rate of the centers")


@register("center")
class Center(AuxiliaryLoss):
    """Cross-entropy plus the squared distance to the center of the class (Wen 2016)."""

    title = "Softmax + center loss"
    summary = "Cross-entropy; features are attracted by the center of their class."
    Options: ClassVar[type] = CenterOptions
    learned: ClassVar[bool] = False

    def build(self) -> None:
        self.memory = Centers(self.n_classes, self.feature_dim, self.learned)
        self.modules["centers"] = self.memory

    def auxiliary_loss(self, outputs: Outputs) -> torch.Tensor:
        centers, features = self.memory.centers, outputs.features
        loss = center_loss(features, outputs.labels, centers)
        move_centers(centers, features.detach(), outputs.labels, self.options.rate)
        return loss
