"""Batches over all clusters, in which clusters with a high loss are drawn more often.

A batch of one cluster neighborhood (:mod:`clmle.samplers.cluster`, as printed) leaves out most of
a large class, whose features then drift. Here every batch covers all classes, and the re-sampling
of hard clusters of section 3.3 decides how often a cluster is drawn.
"""

from dataclasses import dataclass

import numpy as np

from clmle.cluster_index import ClusterIndex
from clmle.errors import InputError
from clmle.samplers.epochs import EpochBatches
from clmle.samplers.proportions import Apportionment, class_proportions


@dataclass(eq=False)
class HardClusterSampler(EpochBatches):
    """Draws batches over all clusters of an index, hard clusters more often.

    A ``batch_sampler`` of :class:`torch.utils.data.DataLoader`; :meth:`draw` returns one batch.

    Parameters
    ----------
    index : ClusterIndex
    batch_size : int
    class_power : float
        Classes are drawn in proportion to size^class_power, from 0 (class-balanced) to 1
        (natural).
    hardness_power : float
        Clusters of a large class are drawn in proportion to size times (mean cached
        loss)^hardness_power; 0 draws samples uniformly. Classes below the mean size are always
        drawn uniformly: preferring hard samples would overfit them.
    without_replacement : bool
        No image is twice in a batch: a class has at most as many places as images, and the other
        classes fill the rest. Otherwise an image of a class of a few dozen would be drawn
        thousands of times in a run. A training set too small to fill a batch has no limit.
    step_size : int, optional
        Images in a step, if several processes draw a batch each: the limits of
        ``without_replacement`` and ``max_class_fraction`` then apply to all batches of the step.
    max_class_fraction : float
        With ``without_replacement``, the largest fraction of the images of a class in one step,
        above 0 and at most 1. At 0.4 an image returns after 2.5 steps at the earliest, on average.
    hard_fraction : float
        The fraction, from 0 to 1, of the samples of a large class that is drawn by
        ``hardness_power``; the others are drawn uniformly, since late in training a single
        cluster has almost all of the loss.
    n_batches, seed, num_replicas, rank, drop_last
        Epochs and processes, as in :class:`ClusterBatchSampler`.

    References
    ----------
    Section 3.3 of the paper, for hard clusters. Hesterberg: Weighted Average Importance Sampling
    and Defensive Mixture Distributions (Technometrics 37, 1995), for the mixture.

    Examples
    --------
    >>> from clmle import ClusterIndex
    >>> labels = np.repeat([0, 1], [300, 20])
    >>> features = np.random.default_rng(0).normal(size=(320, 4)).astype(np.float32)
    >>> index = ClusterIndex.build(features, labels, cluster_size=20)
    >>> batch = HardClusterSampler(index, batch_size=24).draw(np.random.default_rng(0))
    >>> np.bincount(labels[batch]).tolist()
    [12, 12]
    >>> from torch.utils.data import DataLoader
    >>> loader = DataLoader(list(labels), batch_sampler=HardClusterSampler(index, batch_size=24))
    >>> len(loader), next(iter(loader)).bincount().tolist()
    (14, [12, 12])
    """

    index: ClusterIndex
    batch_size: int
    class_power: float = 0.0
    hardness_power: float = 1.0
    without_replacement: bool = True
    step_size: int | None = None
    max_class_fraction: float = 1.0
    hard_fraction: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("class_power", "hard_fraction"):
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(f"{name} is {getattr(self, name)}, but must be from 0 to 1.")
        if not self.hardness_power >= 0:
            raise InputError(f"hardness_power is {self.hardness_power}, but must be 0 or more.")
        if not 0 < self.max_class_fraction <= 1:
            raise InputError(
                f"max_class_fraction is {self.max_class_fraction}, but must be above 0 and at "
                "most 1."
            )

    def batches_of_one_pass(self) -> int:
        """Batches that together have as many samples as the training set."""
        return -(-len(self.index.labels) // self.batch_size)

    def draw_indices(self, generator: np.random.Generator) -> np.ndarray:
        """Training samples of one batch, (batch_size,)."""
        return self.draw(generator)

    def class_proportions(self) -> np.ndarray:
        """Expected proportion of every class in a batch, (C,)."""
        most = self.max_class_fraction if self.without_replacement else None
        places = self.step_size or self.batch_size
        return class_proportions(self.index.counts, self.class_power, places, most)

    def cluster_proportions(self, c: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the clusters of class ``c`` and the proportion in which each is drawn."""
        index = self.index
        clusters = index.clusters_of(c)
        losses = index.cluster_losses(clusters)
        seen = np.isfinite(losses)
        # A cluster that was not drawn yet counts with the mean loss of the others.
        losses = np.where(seen, losses, losses[seen].mean() if seen.any() else 1.0)
        # Clusters without any loss are still drawn sometimes.
        hardness = np.maximum(losses, 1e-3 * max(losses.max(), 1e-12)) ** self.hardness_power
        sizes = index.sizes_of(clusters)
        hard = hardness * sizes
        even = sizes / sizes.sum()
        return clusters, self.hard_fraction * hard / hard.sum() + (1 - self.hard_fraction) * even

    def draw(self, generator: np.random.Generator) -> np.ndarray:
        """Return the training samples of one batch, (batch_size,)."""
        index = self.index
        apportionment, mean_size = self._apportionment()
        indices = []
        for c, count in zip(*apportionment.draw(generator), strict=True):
            members = index.of_class(c)
            if self.hardness_power > 0 and len(members) >= mean_size:
                clusters, proportions = self.cluster_proportions(c)
                drawn = generator.multinomial(count, proportions)
                for cluster, part in zip(clusters[drawn > 0], drawn[drawn > 0], strict=True):
                    members = index.members(int(cluster))
                    indices.append(generator.choice(members, part, replace=part > len(members)))
            else:
                replace = not self.without_replacement or count > len(members)
                indices.append(generator.choice(members, count, replace=replace))
        return np.concatenate(indices)

    def _apportionment(self) -> tuple[Apportionment, float]:
        """Class proportions and mean class size, computed once for an index."""
        sizes = self.batch_size, self.step_size, self.class_power
        key = *sizes, self.without_replacement, self.max_class_fraction
        kept = self.index.sampler_cache
        if key not in kept:
            counts = self.index.counts
            kept[key] = (
                Apportionment.of(self.class_proportions(), self.batch_size),
                float(counts[counts > 0].mean()),
            )
        found: tuple[Apportionment, float] = kept[key]
        return found
