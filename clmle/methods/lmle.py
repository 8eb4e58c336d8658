"""LMLE (large margin local embedding): Eqs. 4 and 5 of the CLMLE paper."""

from dataclasses import dataclass

import torch.nn.functional as F

from clmle.config import option
from clmle.device import to_device
from clmle.losses import inverse_frequency_weights
from clmle.losses.lmle import lmle_loss
from clmle.methods._base import Batch, Loss, Outputs, register
from clmle.methods._cluster_batches import ClusterBatches, ClusterOptions


@dataclass(frozen=True)
class LMLEOptions(ClusterOptions):
    """Options of the quintuplets."""

    min_clusters: int = option(
        2, "smallest number of clusters of a class; a quintuplet needs two of them"
    )
    g1: float = option(0.1, "margin between the cluster and the rest of the class")
    g2: float = option(0.1, "margin between the nearest and the farthest of the class")
    g3: float = option(0.1, "margin between the class and other classes")


@register("lmle")
class LMLE(ClusterBatches):
    """Quintuplets in cluster batches, and a vote of clusters: Eqs. 4 and 5 of the CLMLE paper.

    With the squared distance D of unit features, an anchor a and four partners shall satisfy

        D(a, farthest of its cluster) < D(a, nearest of its class in another cluster)
        < D(a, farthest of its class) < D(a, nearest of another class)                (Eq. 4)

    with margins g1, g2 and g3; the loss is the sum of the three hinges (Eq. 5), weighted by inverse
    class frequency. The classifier takes the class with the largest gap between the nearest
    cluster of the others and its own farthest cluster.

    Section 3.1 of the paper, Eqs. 4 and 5; Huang, Li, Loy, Tang: Learning Deep Representation for
    Imbalanced Classification (CVPR 2016).
    """

    title = "LMLE (quintuplets)"
    summary = "Quintuplets: four ordered distances within and between clusters and classes."
    Options = LMLEOptions
    vote = "gap"
    query = "uniform"

    def loss(self, outputs: Outputs, batch: Batch) -> Loss:
        o = self.options
        unit = F.normalize(outputs.features, dim=1)
        slots = to_device(batch.extra.slots, unit.device)
        weights = inverse_frequency_weights(outputs.labels, self.n_classes)
        loss = lmle_loss(unit, slots, outputs.labels, (o.g1, o.g2, o.g3), weights)
        return Loss(loss, {"quintuplets": loss.detach()})
