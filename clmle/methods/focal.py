"""Focal loss: cross-entropy in which well-classified samples have a small weight."""

from dataclasses import dataclass

import torch.nn.functional as F

from clmle.config import option
from clmle.methods._base import Batch, Loss, Outputs, register
from clmle.methods.softmax import Softmax


@dataclass(frozen=True)
class FocalOptions:
    """Options of focal loss."""

    gamma: float = option(2.0, "exponent that reduces the weight of well-classified samples")
    balanced: bool = option(True, "weight classes by inverse frequency too (alpha of the paper)")


@register("focal")
class Focal(Softmax):
    """-(1 - p_y)^gamma log p_y of the softmax probabilities p, weighted by inverse class frequency.

    Lin, Goyal, Girshick, He, Dollar: Focal Loss for Dense Object Detection (ICCV 2017), Eq. 5.
    """

    title = "Focal loss"
    summary = "Cross-entropy in which well-classified samples have a small weight."
    Options = FocalOptions

    def loss(self, outputs: Outputs, batch: Batch) -> Loss:
        o = self.options
        log_p = F.log_softmax(outputs.logits, dim=1)
        own = log_p.gather(1, outputs.labels[:, None]).squeeze(1)
        each = -((1 - own.exp()) ** o.gamma) * own
        if o.balanced:
            weights = len(self.labels) / (self.n_classes * self.counts)
            each = each * self.per_class(weights, each)[outputs.labels]
        loss = each.mean()
        return Loss(loss, {"focal": loss.detach()})
