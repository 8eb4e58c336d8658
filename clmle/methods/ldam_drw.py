"""LDAM-DRW: margins that grow with the rarity of a class, and deferred re-weighting."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F

from clmle.config import option
from clmle.losses.ldam import ldam_loss, ldam_margins
from clmle.methods._base import Batch, Loss, Outputs, register
from clmle.methods._class_weights import ClassWeights
from clmle.methods.class_balanced_loss import BETA, effective_numbers


@dataclass(frozen=True)
class LDAMOptions:
    """Options of LDAM-DRW."""

    largest_margin: float = option(0.5, "margin of the rarest class, in cosine")
    scale: float = option(16.0, "s, scale of the cosines")
    start: float = option(0.8, "fraction of the steps before classes are weighted (DRW)")
    beta: float = option(
        0.9999, "closer to 1: additional images of a class count more in the weights", bounds=BETA
    )


@register("ldam-drw")
class LDAMDRW(ClassWeights):
    """Cosine softmax with label-distribution-aware margins, deferred re-weighting (Cao 2019)."""

    group = "margins and cosines"
    title = "LDAM-DRW"
    summary = "Larger margins for rarer classes; classes are weighted near the end."
    Options = LDAMOptions

    def loss(self, outputs: Outputs, batch: Batch) -> Loss:
        o = self.options
        cosine = F.linear(
            F.normalize(outputs.features, dim=1), F.normalize(self.linear.weight, dim=1)
        )
        weight = None
        if outputs.progress >= o.start:
            weights = 1 / effective_numbers(self.counts, o.beta)
            weight = self.per_class(weights / weights.sum() * self.n_classes, cosine)
        margins = ldam_margins(torch.as_tensor(self.counts), o.largest_margin)
        margins = self.per_class(margins, cosine)
        loss = ldam_loss(cosine, outputs.labels, margins, o.scale, weight)
        return Loss(loss, {"margin softmax": loss.detach()})
