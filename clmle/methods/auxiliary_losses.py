"""Softmax with a second term on the features: center, center-invariant, marginal, range."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import nn

from clmle.config import option
from clmle.data.base import Task
from clmle.losses.center import center_invariant_loss, center_loss, move_centers
from clmle.losses.marginal import marginal_loss
from clmle.losses.range import range_loss
from clmle.methods.base import Batch, Loss, Outputs, register
from clmle.methods.softmax import Drawn, Softmax


class AuxiliaryLoss(Softmax):
    """Cross-entropy plus ``weight`` times a subclass's own term."""

    Options: ClassVar[type] = Drawn

    def loss(self, outputs: Outputs, batch: Batch) -> Loss:
        softmax = F.cross_entropy(outputs.logits, outputs.labels)
        term = self.term(outputs)
        parts = {"softmax": softmax.detach(), "second term": term.detach()}
        return Loss(softmax + self.options.weight * term, parts)

    def term(self, outputs: Outputs) -> torch.Tensor:
        raise NotImplementedError


class Centers(nn.Module):
    """Class centers (C, d), saved with the run; they move by rule or by gradient."""

    def __init__(self, n_classes: int, dim: int, learned: bool) -> None:
        super().__init__()
        start = torch.randn(n_classes, dim, generator=torch.Generator().manual_seed(0)) * 0.1
        if learned:
            self.centers: torch.Tensor = nn.Parameter(start)
        else:
            self.register_buffer("centers", start)


@dataclass(frozen=True)
class CenterOptions(Drawn):
    """Center loss."""

    weight: float = option(0.003, "lambda of the paper")
    rate: float = option(0.5, "alpha, how fast the centers move")


@register("center")
class Center(AuxiliaryLoss):
    """Wen, Zhang, Li, Qiao: center loss (ECCV 2016)."""

    title: ClassVar[str] = "Softmax + center loss"
    summary: ClassVar[str] = "Features are drawn to the center of their class."
    Options: ClassVar[type] = CenterOptions
    learned: ClassVar[bool] = False

    def __init__(
        self, options: Any, task: Task, batch_size: int, seed: int, feature_dim: int = 64
    ) -> None:
        super().__init__(options, task, batch_size, seed, feature_dim)
        self.memory = Centers(self.n_classes, feature_dim, self.learned)
        self.modules["centers"] = self.memory

    def term(self, outputs: Outputs) -> torch.Tensor:
        loss = center_loss(outputs.features, outputs.labels, self.memory.centers)
        move_centers(
            self.memory.centers, outputs.features.detach(), outputs.labels, self.options.rate
        )
        return loss


@dataclass(frozen=True)
class CenterInvariantOptions(Drawn):
    """Center-invariant loss."""

    weight: float = option(0.003, "of the center loss")
    invariant: float = option(0.1, "of the invariant term, as a share of ``weight``")


@register("center-invariant")
class CenterInvariant(Center):
    """Wu, Liu, Wang, Tao: center invariant loss (2017): center loss, centers of equal length."""

    title: ClassVar[str] = "Center-invariant loss"
    summary: ClassVar[str] = "Center loss whose centers are kept equally long."
    Options: ClassVar[type] = CenterInvariantOptions
    learned: ClassVar[bool] = True

    def term(self, outputs: Outputs) -> torch.Tensor:
        centers = self.memory.centers
        loss = center_loss(outputs.features, outputs.labels, centers)
        share: float = self.options.invariant
        return loss + share * center_invariant_loss(outputs.labels, centers)


@dataclass(frozen=True)
class MarginalOptions(Drawn):
    """Marginal loss."""

    weight: float = option(0.1, "of the marginal term")
    threshold: float = option(1.2, "theta, squared distance that parts same from different")
    margin: float = option(0.3, "xi, room on either side")


@register("marginal")
class Marginal(AuxiliaryLoss):
    """Deng, Zhou, Zafeiriou: Marginal Loss (CVPR Workshops 2017)."""

    title: ClassVar[str] = "Marginal loss"
    summary: ClassVar[str] = "Softmax, and all pairs of a batch on the right side of a distance."
    Options: ClassVar[type] = MarginalOptions

    def term(self, outputs: Outputs) -> torch.Tensor:
        unit = F.normalize(outputs.features, dim=1)
        return marginal_loss(unit, outputs.labels, self.options.threshold, self.options.margin)


@dataclass(frozen=True)
class RangeOptions(Drawn):
    """Range loss, on unit features."""

    weight: float = option(0.03, "of the range term")
    k: int = option(2, "widest pairs of a class")
    margin: float = option(1.0, "squared distance that the nearest class centers keep")
    inter_weight: float = option(2.0, "of the centers' hinge against the ranges")


@register("range")
class Range(AuxiliaryLoss):
    """Zhang, Fang, Wen, Li, Qiao: Range Loss (ICCV 2017)."""

    title: ClassVar[str] = "Range loss"
    summary: ClassVar[str] = "Softmax; the widest pairs of a class shrink, near classes part."
    Options: ClassVar[type] = RangeOptions

    def term(self, outputs: Outputs) -> torch.Tensor:
        o = self.options
        unit = F.normalize(outputs.features, dim=1)
        return range_loss(unit, outputs.labels, k=o.k, margin=o.margin, inter_weight=o.inter_weight)
