"""MOON: squared error, weighted for a balanced class distribution."""

from typing import Any

import torch.nn.functional as F

from clmle.methods._base import Batch, Loss, Outputs, register
from clmle.methods.softmax import Softmax


@register("moon")
class MOON(Softmax):
    """Weighted squared error between scores and +1 for the class of the image, -1 for the others.

    The weights turn the training distribution into a balanced one ("domain adapted" loss): the
    rarest class has weight 1, the others less.

    Rudd, Gunther, Boult: MOON: A Mixed Objective Optimization Network for the Recognition of
    Facial Attributes (ECCV 2016), Eqs. 2 to 5, with a balanced target distribution.
    """

    title = "MOON"
    summary = "Squared error, weighted for a balanced class distribution."

    @classmethod
    def uses_all_parameters(cls, options: Any) -> bool:
        return True

    def loss(self, outputs: Outputs, batch: Batch) -> Loss:
        target = 2.0 * F.one_hot(outputs.labels, self.n_classes) - 1
        weights = self.counts.min() / self.counts
        each = (outputs.logits - target).square().mean(dim=1)
        loss = (each * self.per_class(weights, each)[outputs.labels]).mean()
        return Loss(loss, {"squared error": loss.detach()})
