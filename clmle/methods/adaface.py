"""AdaFace: a cosine softmax whose margin depends on the length of the feature."""

from dataclasses import dataclass

import torch
from torch import nn

from clmle.config import option
from clmle.losses.adaface import adaface_logits
from clmle.methods._base import Batch, Outputs, register
from clmle.methods._class_weights import ClassWeights
from clmle.methods.softmax import SamplingOptions


class NormStatistics(nn.Module):
    """Running mean and standard deviation of feature lengths.

    The first batches are averaged with equal weights: AdaFace's initial values (20 and 100) would
    take hundreds of steps to fade, and the margin would not depend on the lengths until then.
    """

    mean: torch.Tensor
    spread: torch.Tensor
    seen: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        for name in ("mean", "spread", "seen"):
            self.register_buffer(name, torch.tensor(0.0))

    @torch.no_grad()
    def update(self, norms: torch.Tensor, rate: float = 0.01) -> tuple[float, float]:
        """Add the lengths (B,) of a batch; return mean and standard deviation."""
        self.seen += 1
        weight = (1 / self.seen).clamp(min=rate)
        self.mean.lerp_(norms.mean(), weight)
        self.spread.lerp_(norms.std(), weight)
        mean, spread = torch.stack([self.mean, self.spread]).tolist()
        return mean, spread


@dataclass(frozen=True)
class AdaFaceOptions(SamplingOptions):
    """Options of AdaFace."""

    margin: float = option(0.4, "m, the largest margin")
    h: float = option(0.333, "concentration: how strongly the margin depends on the length")
    scale: float = option(16.0, "s, scale of the cosines")


@register("adaface")
class AdaFace(ClassWeights):
    """Softmax of cosines with a margin that adapts to the length of the feature (Kim 2022)."""

    group = "margins and cosines"
    title = "AdaFace"
    summary = "Cosine softmax whose margin depends on the length of the feature."
    Options = AdaFaceOptions
    term = "margin softmax"

    def build(self) -> None:
        super().build()
        self.norms = NormStatistics()
        self.modules["norms"] = self.norms

    def logits(self, outputs: Outputs, batch: Batch) -> torch.Tensor:
        o = self.options
        mean, spread = self.norms.update(outputs.features.detach().norm(dim=1))
        return adaface_logits(
            outputs.features, self.linear.weight, outputs.labels, mean, spread,
            margin=o.margin, h=o.h, scale=o.scale,
        )  # fmt: skip
