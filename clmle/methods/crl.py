"""Class rectification loss: cross-entropy and hard triplets of the minority classes (CRL-I)."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F

from clmle.config import option
from clmle.losses.crl import crl_loss, crl_weight
from clmle.methods._base import Batch, Loss, Outputs, register
from clmle.methods.softmax import Softmax


@dataclass(frozen=True)
class CRLOptions:
    """Options of class rectification loss at instance level."""

    margin: float = option(0.5, "margin of the triplets")
    hardest: int = option(25, "kappa, hard positives and hard negatives of each anchor")
    eta: float = option(0.01, "weight of the triplets per percent of class imbalance")


@register("crl")
class CRL(Softmax):
    """Cross-entropy and a triplet loss on hard samples of minority classes (Dong 2017, CRL-I)."""

    group = "pairs and contrast"
    title = "CRL-I"
    summary = "Cross-entropy and hard triplets of the minority classes of each batch."
    Options = CRLOptions

    def loss(self, outputs: Outputs, batch: Batch) -> Loss:
        o = self.options
        unit = F.normalize(outputs.features, dim=1)
        triplets = crl_loss(
            unit, outputs.labels, self.n_classes, margin=o.margin, hardest=o.hardest
        )
        softmax = F.cross_entropy(outputs.logits, outputs.labels)
        weight = crl_weight(torch.as_tensor(self.counts), o.eta)
        parts = {"softmax": softmax.detach(), "triplets": triplets.detach()}
        return Loss(weight * triplets + (1 - weight) * softmax, parts)
