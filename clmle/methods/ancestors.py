"""The two ancestors of CLMLE that also work on clusters: LMLE and magnet loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F

from clmle.classifiers._base import Classifier, best_classifier, unit_rows
from clmle.classifiers.cluster_vote import ClusterVoteClassifier
from clmle.config import option
from clmle.data.base import Task
from clmle.errors import InputError
from clmle.losses import inverse_frequency_weights
from clmle.losses.lmle import lmle_loss
from clmle.losses.magnet import magnet_loss
from clmle.methods.base import Batch, Loss, Outputs, register
from clmle.methods.cluster_method import ClusterMethod
from clmle.samplers.cluster import ClusterSampler


@dataclass(frozen=True)
class ClusterOptions:
    """Clusters and batches."""

    cluster_size: int = option(200, "l, samples a cluster")
    min_clusters: int = option(1, "clusters of a class that has fewer than l samples for each")
    clusters_per_batch: int = option(12, "clusters in a batch")
    samples_per_cluster: int = option(20, "samples of each cluster in a batch")
    same_class_clusters: int = option(6, "how many of them are of the query's class")


class ClusterBatches(ClusterMethod):
    """Cluster batches as CLMLE draws them, judged by a vote of the nearest clusters."""

    Options: ClassVar[type] = ClusterOptions
    family: ClassVar[str] = "clusters"
    reads_any_batch: ClassVar[bool] = False  # losses compare clusters of one batch
    vote: ClassVar[str] = "gaussian"
    query: ClassVar[str] = "hardest"

    def __init__(
        self, options: Any, task: Task, batch_size: int, seed: int, feature_dim: int = 64
    ) -> None:
        super().__init__(options, task, batch_size, seed, feature_dim)
        # No more images a step than any other method.
        if options.clusters_per_batch * options.samples_per_cluster > batch_size:
            raise InputError(
                f"{options.clusters_per_batch} clusters of {options.samples_per_cluster} samples "
                f"do not fit into a batch of {batch_size}; lower one of them or raise batch_size."
            )

    def sample_batch(self, step: int) -> Batch:
        o = self.options
        assert self.index is not None
        sampler = ClusterSampler(
            self.index, o.clusters_per_batch, o.samples_per_cluster, o.same_class_clusters,
            self.query,
        )  # fmt: skip
        part = sampler.draw(self.generator(step))
        return Batch(part.indices, part)

    def fit_classifier(
        self,
        train_features: np.ndarray,
        validation: tuple[np.ndarray, np.ndarray, np.ndarray],
    ) -> Classifier:
        assert self.index is not None
        unit = unit_rows(train_features)
        means = np.zeros_like(self.index.centroids)
        np.add.at(means, self.index.assignment, unit)
        means /= self.index.sizes[:, None].astype(np.float32)
        squared = np.square(unit - means[self.index.assignment]).sum(axis=1)
        variance = float(squared.sum() / max(1, len(squared) - 1)) + 1e-12
        numbers = sorted({min(n, len(means)) for n in (1, 3, 5, 10, 20, 50, 100, 200)})
        facts = self.vote, variance, self.n_classes
        rules = (ClusterVoteClassifier(means, self.index.classes, n, *facts) for n in numbers)
        return best_classifier(rules, validation)


@dataclass(frozen=True)
class LMLEOptions(ClusterOptions):
    """Quintuplets."""

    min_clusters: int = option(2, "clusters of a small class; a quintuplet needs two of them")
    g1: float = option(0.1, "between a sample's cluster and the rest of its class")
    g2: float = option(0.1, "between the nearest and the farthest of its class")
    g3: float = option(0.1, "between its class and the others")


@register("lmle")
class LMLE(ClusterBatches):
    """Huang, Li, Loy, Tang: Large Margin Local Embedding (CVPR 2016); Eqs. 4 and 5.

    Quintuplets are taken within cluster batches; the rule is its cluster-wise k-NN:
    the class with the largest gap between others' nearest and its own farthest cluster.
    """

    title: ClassVar[str] = "LMLE (quintuplets)"
    summary: ClassVar[str] = "Four ordered distances from cluster to class, kept by hinges."
    Options: ClassVar[type] = LMLEOptions
    vote: ClassVar[str] = "gap"
    query: ClassVar[str] = "uniform"

    def loss(self, outputs: Outputs, batch: Batch) -> Loss:
        o = self.options
        unit = F.normalize(outputs.features, dim=1)
        slots = torch.from_numpy(batch.extra.slots).to(unit.device)
        weights = inverse_frequency_weights(outputs.labels)
        loss = lmle_loss(unit, slots, outputs.labels, (o.g1, o.g2, o.g3), weights)
        return Loss(loss, {"quintuplets": loss.detach()})


@dataclass(frozen=True)
class MagnetOptions(ClusterOptions):
    """Magnet loss."""

    same_class_clusters: int = option(1, "how many of them are of the query's class")
    alpha: float = option(1.0, "gap between clusters, in variances")


@register("magnet")
class Magnet(ClusterBatches):
    """Rippel, Paluri, Dollar, Bourdev: magnet loss (ICLR 2016), on unit features.

    The seed cluster is the one with the highest cached loss; the others are its nearest
    impostors. The rule is its kNC: Gaussian votes of the nearest clusters.
    """

    title: ClassVar[str] = "Magnet loss"
    summary: ClassVar[str] = "Clusters against the nearest clusters of other classes; Gaussian."
    Options: ClassVar[type] = MagnetOptions

    def loss(self, outputs: Outputs, batch: Batch) -> Loss:
        unit = F.normalize(outputs.features, dim=1)
        part = batch.extra
        device = unit.device
        each, _ = magnet_loss(
            unit,
            torch.from_numpy(part.slots).to(device),
            torch.from_numpy(part.classes).to(device),
            self.options.alpha,
        )
        assert self.index is not None
        self.index.record(part.indices, each.detach().double().cpu().numpy())
        loss = each.mean()
        return Loss(loss, {"magnet": loss.detach()})
