"""Batches made of clusters: a query cluster, its nearest clusters, some samples of each (3.3)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clmle.cluster_index import ClusterIndex
from clmle.errors import InputError

QUERIES = ("hardest", "uniform")


@dataclass(frozen=True)
class ClusterBatch:
    """Samples of M clusters.

    ``rows`` (B,) training samples; ``slots`` (B,) place of each one's cluster in this batch,
    in [0, M); ``clusters`` (M,) their numbers in the index, the query first; ``classes`` (M,).
    """

    indices: np.ndarray
    slots: np.ndarray
    clusters: np.ndarray
    classes: np.ndarray


@dataclass(frozen=True)
class ClusterSampler:
    """Draws cluster batches from an index.

    Parameters
    ----------
    clusters_per_batch : int
        M, the query included; 12 in the paper.
    samples_per_cluster : int
        20 in the paper, drawn without replacement where the cluster has that many.
    same_class_clusters : int
        How many of the M are of the query's class, itself included. The paper leaves it
        open ("greedily"); half is the default.
    query : str
        "hardest" takes the cluster with the highest cached loss of a class drawn uniformly
        (clusters never seen come first); "uniform" any cluster of that class.

    Raises
    ------
    InputError
        A number out of range or an unknown query rule.
    """

    index: ClusterIndex
    clusters_per_batch: int = 12
    samples_per_cluster: int = 20
    same_class_clusters: int = 6
    query: str = "hardest"

    def __post_init__(self) -> None:
        if self.query not in QUERIES:
            raise InputError(f"query is {self.query!r}; choose one of: {', '.join(QUERIES)}.")
        if self.samples_per_cluster < 1:
            raise InputError("samples_per_cluster must be 1 or more.")
        if not 1 <= self.same_class_clusters < self.clusters_per_batch:
            raise InputError(
                f"same_class_clusters is {self.same_class_clusters}, but must be at least 1 and "
                f"less than clusters_per_batch ({self.clusters_per_batch}), "
                "so that a batch holds both the query's class and others."
            )

    def draw(self, generator: np.random.Generator) -> ClusterBatch:
        """One batch."""
        index = self.index
        query = self.draw_query(generator)
        clusters = index.nearest(
            query, self.same_class_clusters, self.clusters_per_batch - self.same_class_clusters
        )
        wanted = self.samples_per_cluster
        rows = []
        for cluster in clusters:
            members = index.members(cluster)
            rows.append(generator.choice(members, wanted, replace=len(members) < wanted))
        return ClusterBatch(
            indices=np.concatenate(rows),
            slots=np.repeat(np.arange(len(clusters)), wanted),
            clusters=clusters,
            classes=index.classes[clusters],
        )

    def draw_query(self, generator: np.random.Generator) -> int:
        """A cluster of a class drawn uniformly over classes."""
        index = self.index
        candidates = index.clusters_of(int(generator.choice(index.present)))
        if self.query == "uniform":
            return int(generator.choice(candidates))
        losses = index.cluster_losses(candidates)
        hardest = candidates[losses == losses.max()]
        return int(generator.choice(hardest))
