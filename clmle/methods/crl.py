"""Class rectification: cross-entropy and hard triplets of the batch's minority (CRL-I)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F

from clmle.config import option
from clmle.losses.crl import crl_loss, crl_weight
from clmle.methods.base import Batch, Loss, Outputs, register
from clmle.methods.softmax import Softmax


@dataclass(frozen=True)
class CRLOptions:
    """Class rectification loss at instance level."""

    margin: float = option(0.5, "of the triplets")
    hardest: int = option(25, "kappa, hard positives and negatives of an anchor")
    eta: float = option(0.01, "share of the loss for each percent of imbalance")


@register("crl")
class CRL(Softmax):
    """Dong, Gong, Zhu: Class Rectification Hard Mining (ICCV 2017), instance level (CRL-I)."""

    title: ClassVar[str] = "CRL-I"
    summary: ClassVar[str] = "Cross-entropy and hard triplets of the minority of each batch."
    Options: ClassVar[type] = CRLOptions

    def loss(self, outputs: Outputs, batch: Batch) -> Loss:
        o = self.options
        unit = F.normalize(outputs.features, dim=1)
        triplets = crl_loss(
            unit, outputs.labels, self.n_classes, margin=o.margin, hardest=o.hardest
        )
        softmax = F.cross_entropy(outputs.logits, outputs.labels)
        share = crl_weight(torch.as_tensor(self.counts), o.eta)
        parts = {"softmax": softmax.detach(), "triplets": triplets.detach()}
        return Loss(share * triplets + (1 - share) * softmax, parts)
