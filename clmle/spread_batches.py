"""Batches spread over all clusters: classes by a power of their size, clusters by their loss.

A batch of one neighbourhood (:mod:`clmle.batches`, as printed) lets the rest of a large class
drift. Here every batch covers all classes, and section 3.3's re-sampling of hard clusters acts on
how often a cluster is drawn instead of on which one neighbourhood is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clmle.errors import InputError
from clmle.index import ClusterIndex


@dataclass(frozen=True)
class SpreadBatchSampler:
    """Draws batches from an index.

    Parameters
    ----------
    index : ClusterIndex
    batch_size : int
    class_power : float
        A class is drawn in proportion to (its size)^class_power: 0 is even, 1 is natural.
    emphasis : float
        A cluster of a large class is drawn in proportion to (mean cached loss)^emphasis times its
        size; 0 draws uniformly. Samples of a class below the mean size are always drawn uniformly:
        it comes back whole every few batches anyway, and its hard samples would be memorised.

    Raises
    ------
    InputError
        A number out of range.
    """

    index: ClusterIndex
    batch_size: int
    class_power: float = 0.0
    emphasis: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.class_power <= 1:
            raise InputError(f"class_power is {self.class_power}, but must be from 0 to 1.")
        if not self.emphasis >= 0:
            raise InputError(f"emphasis is {self.emphasis}, but must be 0 or more.")

    def class_shares(self) -> np.ndarray:
        """Expected share of every class in a batch, (C,)."""
        counts = np.bincount(self.index.labels).astype(np.float64)
        weight = np.where(counts > 0, np.maximum(counts, 1) ** self.class_power, 0.0)
        return weight / weight.sum()

    def cluster_shares(self, c: int) -> tuple[np.ndarray, np.ndarray]:
        """Clusters of class ``c`` and how often each is drawn, summing to one."""
        index = self.index
        clusters = np.flatnonzero(index.classes == c)
        losses = index.cluster_losses()[clusters]
        seen = np.isfinite(losses)
        # A cluster not seen yet counts as hard as the mean of the others.
        losses = np.where(seen, losses, losses[seen].mean() if seen.any() else 1.0)
        # Clusters without any loss are still visited now and then.
        hardness = np.maximum(losses, 1e-3 * max(losses.max(), 1e-12)) ** self.emphasis
        weight = hardness * index.sizes[clusters]
        return clusters, weight / weight.sum()

    def draw(self, generator: np.random.Generator) -> np.ndarray:
        """Training rows of one batch, (batch_size,)."""
        index = self.index
        counts = np.bincount(index.labels)
        wanted = _apportion(self.class_shares(), self.batch_size, generator)
        rows = []
        for c in np.flatnonzero(wanted):
            if self.emphasis > 0 and counts[c] >= counts[counts > 0].mean():
                clusters, shares = self.cluster_shares(int(c))
                drawn = generator.multinomial(wanted[c], shares)
                for cluster, number in zip(clusters[drawn > 0], drawn[drawn > 0], strict=True):
                    members = index.members(int(cluster))
                    rows.append(generator.choice(members, number, replace=number > len(members)))
            else:
                rows.append(generator.choice(np.flatnonzero(index.labels == c), wanted[c]))
        return np.concatenate(rows)


def _apportion(shares: np.ndarray, total: int, generator: np.random.Generator) -> np.ndarray:
    """Whole numbers (C,) that sum to ``total``, each within one of its share, fair on average."""
    exact = shares * total
    counts = np.floor(exact).astype(np.int64)
    rest = total - int(counts.sum())
    if rest:
        # Systematic sampling of the fractions: each is rounded up as often as it asks for.
        edges = np.cumsum(exact - counts)
        places = generator.random() + np.arange(rest)
        chosen = np.searchsorted(edges, places, side="right").clip(max=len(shares) - 1)
        np.add.at(counts, chosen, 1)
    return counts
