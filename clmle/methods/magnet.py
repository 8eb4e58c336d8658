"""Magnet loss: clusters against the nearest clusters of other classes."""

from dataclasses import dataclass

import torch.nn.functional as F

from clmle.config import option
from clmle.device import to_device, to_host
from clmle.losses.magnet import magnet_loss
from clmle.methods._base import Batch, Loss, Outputs, register
from clmle.methods._cluster_batches import ClusterBatches, ClusterOptions


@dataclass(frozen=True)
class MagnetOptions(ClusterOptions):
    """Options of magnet loss."""

    same_class_clusters: int = option(1, "clusters of a batch that are of the query's class")
    alpha: float = option(1.0, "gap between clusters, in variances")


@register("magnet")
class Magnet(ClusterBatches):
    """Magnet loss on unit features; Gaussian votes of the nearest clusters classify (kNC).

    The query cluster is the one with the highest cached loss; the others are the nearest clusters
    of other classes.

    Rippel, Paluri, Dollar, Bourdev: Metric Learning with Adaptive Density Discrimination (ICLR
    2016).
    """

    title = "Magnet loss"
    summary = "Clusters against the nearest clusters of other classes, with Gaussian votes."
    Options = MagnetOptions

    def loss(self, outputs: Outputs, batch: Batch) -> Loss:
        unit = F.normalize(outputs.features, dim=1)
        clusters = batch.extra
        each, _ = magnet_loss(
            unit,
            to_device(clusters.slots, unit.device),
            to_device(clusters.classes, unit.device),
            self.options.alpha,
        )
        loss = each.mean()

        def after_backward() -> None:
            self.index.record(clusters.indices, *to_host(each))

        return Loss(loss, {"magnet": loss.detach()}, after_backward)
