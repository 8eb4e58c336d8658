"""Batches spread over all clusters: classes by a power of their size, clusters by their loss.

A batch of one neighborhood (:mod:`clmle.samplers.cluster`, as printed) lets the rest of a large class
drift. Here every batch covers all classes, and section 3.3's re-sampling of hard clusters acts on
how often a cluster is drawn instead of on which one neighborhood is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clmle.cluster_index import ClusterIndex
from clmle.errors import InputError


@dataclass(frozen=True)
class HardClusterSampler:
    """Draws batches from an index.

    Parameters
    ----------
    index : ClusterIndex
    batch_size : int
    class_power : float
        A class is drawn in proportion to (its size)^class_power: 0 is even, 1 is natural.
    distinct : bool
        A class fills no more places of a batch than it has images, so that none is shown twice in
        one batch; larger classes share what is left. A class of a few dozen images would
        otherwise be shown thousands of times, and learned by heart. A set too small to be drawn
        like this is drawn as if there were no bound.
    step_size : int, optional
        Images of a step, where that is more than ``batch_size`` since several processes draw for
        it: ``distinct`` then counts the places of all their batches.
    max_class_fraction : float
        With ``distinct``, the largest share of a class's images that one step shows, above 0 and
        at most 1. At 0.4 no image comes back before two and a half steps are over, on average.
    hardness_power : float
        A cluster of a large class is drawn in proportion to (mean cached loss)^hardness_power times its
        size; 0 draws uniformly. Samples of a class below the mean size are always drawn uniformly:
        it comes back whole every few batches anyway, and its hard samples would be memorized.
    hard_fraction : float
        The part of a large class's places that goes by ``hardness_power``, from 0 to 1; the others are
        spread over the class evenly. Where almost all is learned a single cluster holds almost all
        of the loss: with no other in a batch the rest of the class is lost within a few steps. Such
        a mixture bounds how seldom a sample comes (Hesterberg 1995, for importance sampling).

    Raises
    ------
    InputError
        A number out of range.
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
        if not 0 <= self.class_power <= 1:
            raise InputError(f"class_power is {self.class_power}, but must be from 0 to 1.")
        if not self.hardness_power >= 0:
            raise InputError(f"hardness_power is {self.hardness_power}, but must be 0 or more.")
        if not 0 < self.max_class_fraction <= 1:
            raise InputError(
                f"max_class_fraction is {self.max_class_fraction}, but must be above 0 and at most 1."
            )
        if not 0 <= self.hard_fraction <= 1:
            raise InputError(f"hard_fraction is {self.hard_fraction}, but must be from 0 to 1.")

    def class_proportions(self) -> np.ndarray:
        """Expected share of every class in a batch, (C,)."""
        counts = self.index.counts
        places = self.step_size or self.batch_size
        most = self.max_class_fraction if self.without_replacement else None
        return class_proportions(counts, self.class_power, places, most)

    def cluster_proportions(self, c: int) -> tuple[np.ndarray, np.ndarray]:
        """Clusters of class ``c`` and how often each is drawn, summing to one."""
        index = self.index
        clusters = index.clusters_of(c)
        losses = index.cluster_losses(clusters)
        seen = np.isfinite(losses)
        # A cluster not seen yet counts as hard as the mean of the others.
        losses = np.where(seen, losses, losses[seen].mean() if seen.any() else 1.0)
        # Clusters without any loss are still visited now and then.
        hardness = np.maximum(losses, 1e-3 * max(losses.max(), 1e-12)) ** self.hardness_power
        sizes = index.sizes_of(clusters)
        hard = hardness * sizes
        even = sizes / sizes.sum()
        return clusters, self.hard_fraction * hard / hard.sum() + (1 - self.hard_fraction) * even

    def draw(self, generator: np.random.Generator) -> np.ndarray:
        """Training rows of one batch, (batch_size,)."""
        index, places = self.index, self._places()
        rows = []
        for c, number in zip(*places.drawn(generator), strict=True):
            members = index.of_class(c)
            if self.hardness_power > 0 and len(members) >= places.mean_size:
                clusters, shares = self.cluster_proportions(c)
                drawn = generator.multinomial(number, shares)
                for cluster, part in zip(clusters[drawn > 0], drawn[drawn > 0], strict=True):
                    members = index.members(int(cluster))
                    rows.append(generator.choice(members, part, replace=part > len(members)))
            else:
                again = not self.without_replacement or number > len(members)
                rows.append(generator.choice(members, number, replace=again))
        return np.concatenate(rows)

    def _places(self) -> _Places:
        """What every batch of these settings has in common; worked out once for an index."""
        key = (
            self.class_power,
            self.without_replacement,
            self.step_size,
            self.batch_size,
            self.max_class_fraction,
        )
        kept = self.index.of_samplers
        if key not in kept:
            counts = self.index.counts
            mean_size = counts[counts > 0].mean()
            kept[key] = _Places.of(self.class_proportions(), self.batch_size, mean_size)
        places: _Places = kept[key]
        return places


@dataclass(frozen=True)
class _Places:
    """A batch's places: those that a class has in every batch, and the rest, which are drawn.

    There may be millions of classes: a draw looks only at those it takes.
    """

    certain: np.ndarray  # classes with places of their own in every batch
    numbers: np.ndarray  # how many
    edges: np.ndarray  # sums of the fractions of a place that are left, (C,)
    rest: int
    mean_size: float  # of a class

    @classmethod
    def of(cls, shares: np.ndarray, total: int, mean_size: float = 0.0) -> _Places:
        exact = shares * total
        whole = np.floor(exact).astype(np.int64)
        certain = np.flatnonzero(whole)
        rest = total - int(whole.sum())
        return cls(certain, whole[certain], np.cumsum(exact - whole), rest, mean_size)

    def drawn(self, generator: np.random.Generator) -> tuple[list[int], list[int]]:
        """Classes in order, and how many places each has."""
        chosen = self.certain[:0]
        if self.rest:
            # Systematic sampling of the fractions: each is rounded up as often as it asks for.
            at = generator.random() + np.arange(self.rest)
            last = len(self.edges) - 1
            chosen = np.searchsorted(self.edges, at, side="right").clip(max=last)
        classes = np.unique(np.concatenate([self.certain, chosen]))
        numbers = np.zeros(len(classes), dtype=np.int64)
        numbers[np.searchsorted(classes, self.certain)] = self.numbers
        np.add.at(numbers, np.searchsorted(classes, chosen), 1)
        return classes.tolist(), numbers.tolist()


def class_proportions(
    counts: np.ndarray,
    power: float = 0.0,
    batch_size: int = 1,
    max_class_fraction: float | None = None,
) -> np.ndarray:
    """Shares (C,) of a batch in proportion to counts^power, summing to one.

    With ``max_class_fraction`` no class fills more places of a batch than that share of its images; the
    places left over go to the other classes in the same proportion. Where the classes together
    cannot fill a batch so, the whole set comes back every few batches whatever is done: there the
    shares are those without a bound.

    Examples
    --------
    >>> class_proportions(np.array([900, 60, 12]), batch_size=240, max_class_fraction=1).round(3).tolist()
    [0.7, 0.25, 0.05]
    """
    counts = np.asarray(counts, dtype=np.float64)
    weight = np.where(counts > 0, np.maximum(counts, 1) ** power, 0.0)
    shares: np.ndarray = weight / weight.sum()
    if max_class_fraction is None or max_class_fraction * counts.sum() <= batch_size:
        return shares
    most = counts * max_class_fraction / batch_size
    full = np.zeros(len(counts), dtype=bool)
    while ((shares > most) & ~full).any():
        full |= shares > most
        free = np.where(full, 0.0, weight)
        shares = np.where(full, most, free / free.sum() * (1 - most[full].sum()))
    return shares


def apportion(shares: np.ndarray, total: int, generator: np.random.Generator) -> np.ndarray:
    """Whole numbers (C,) that sum to ``total``, each within one of its share, fair on average."""
    counts = np.zeros(len(shares), dtype=np.int64)
    classes, numbers = _Places.of(shares, total).drawn(generator)
    counts[classes] = numbers
    return counts
