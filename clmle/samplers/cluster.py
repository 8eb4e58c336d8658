"""Batches of one cluster neighborhood: a query cluster and its nearest clusters (section 3.3)."""

from dataclasses import dataclass

import numpy as np

from clmle.cluster_index import ClusterIndex
from clmle.errors import InputError

QUERIES = ("hardest", "uniform")


@dataclass(frozen=True)
class ClusterBatch:
    """A batch of samples from M clusters.

    Attributes
    ----------
    indices : (B,) array
        Training samples.
    slots : (B,) array
        Position of the cluster of each sample in ``clusters``, from 0 to M - 1.
    clusters : (M,) array
        Clusters of the index, the query first.
    classes : (M,) array
        Their classes.
    """

    indices: np.ndarray
    slots: np.ndarray
    clusters: np.ndarray
    classes: np.ndarray


@dataclass(eq=False)
class ClusterSampler:
    """Draws batches of a query cluster and its nearest clusters, as printed in the paper.

    Parameters
    ----------
    index : ClusterIndex
    clusters_per_batch : int
        M, the query included; 12 in the paper.
    samples_per_cluster : int
        20 in the paper; drawn without replacement from a cluster that has as many.
    same_class_clusters : int
        How many of the M clusters are of the class of the query, itself included. The paper does
        not give this number ("greedily"); the default is half of them.
    query : {"hardest", "uniform"}
        "hardest" takes the cluster with the highest cached loss of a class drawn uniformly,
        clusters that were not drawn yet first; "uniform" takes any cluster of that class.

    References
    ----------
    Section 3.3 of the paper.

    Examples
    --------
    >>> from clmle import ClusterIndex
    >>> labels = np.repeat([0, 1], 60)
    >>> features = np.random.default_rng(0).normal(size=(120, 4)).astype(np.float32)
    >>> index = ClusterIndex.build(features, labels, cluster_size=20)
    >>> batch = ClusterSampler(index, 4, 10, 2).draw(np.random.default_rng(0))
    >>> batch.classes.tolist(), len(batch.indices)
    ([1, 1, 0, 0], 40)
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
                "for a batch to hold both the class of the query and others."
            )

    def draw(self, generator: np.random.Generator) -> ClusterBatch:
        """Return one batch."""
        index = self.index
        query = self.draw_query(generator)
        clusters = index.nearest(
            query, self.same_class_clusters, self.clusters_per_batch - self.same_class_clusters
        )
        wanted = self.samples_per_cluster
        indices = []
        for cluster in clusters:
            members = index.members(cluster)
            indices.append(generator.choice(members, wanted, replace=len(members) < wanted))
        slots = np.repeat(np.arange(len(clusters)), wanted)
        return ClusterBatch(np.concatenate(indices), slots, clusters, index.classes[clusters])

    def draw_query(self, generator: np.random.Generator) -> int:
        """Return a query cluster of a class drawn uniformly."""
        index = self.index
        candidates = index.clusters_of(int(generator.choice(index.present)))
        if self.query == "uniform":
            return int(generator.choice(candidates))
        losses = index.cluster_losses(candidates)
        hardest = candidates[losses == losses.max()]
        return int(generator.choice(hardest))
