"""MOON: squared error weighted so that the training set looks balanced (Rudd 2016)."""

from __future__ import annotations

from typing import ClassVar

import torch.nn.functional as F

from clmle.methods.base import Batch, Loss, Outputs, register
from clmle.methods.softmax import Softmax


@register("moon")
class MOON(Softmax):
    """Weighted squared error of the scores against +1 for one's class and -1 for the others.

    The weights turn the training distribution into an even one ("domain adapted" loss): the rarest
    class has weight 1 and the others less, so that no gradient grows. Rudd, Gunther, Boult: MOON:
    A Mixed Objective Optimization Network for the Recognition of Facial Attributes (ECCV 2016),
    Eqs. 2 to 5, with an even target distribution.
    """

    title: ClassVar[str] = "MOON"
    summary: ClassVar[str] = "Squared error, classes weighted to an even distribution."

    def loss(self, outputs: Outputs, batch: Batch) -> Loss:
        target = 2.0 * F.one_hot(outputs.labels, self.n_classes) - 1
        weights = self.counts.min() / self.counts
        each = (outputs.logits - target).square().mean(dim=1)
        loss = (each * self.per_class(weights, each)[outputs.labels]).mean()
        return Loss(loss, {"squared error": loss.detach()})
