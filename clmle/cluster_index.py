"""The cluster index: clusters of every class, their centroids and cached losses (section 3.3)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch

from clmle._balance import sums_by_label
from clmle.clustering import balanced_spherical_kmeans
from clmle.device import to_device
from clmle.errors import InputError

CPU = torch.device("cpu")
CLASSES_PER_BLOCK = 10_000  # classes of one cluster that are averaged together


@dataclass
class ClusterIndex:
    """Balanced clusters of every class of a training set (sections 3.2 and 3.3).

    :meth:`build` makes an index, :meth:`refresh` clusters the samples again. The number of
    clusters of a class depends on its size alone, so cluster indices persist during training.

    Attributes
    ----------
    labels : (n,) int64
        Class of each sample.
    assignment : (n,) int64
        Cluster of each sample, in [0, K).
    centroids : (K, d) float32
        Centroids mu of unit length (Eq. 7).
    classes : (K,) int64
        Class of each cluster, in ascending order.
    losses : (n,) float64
        Last recorded loss of each sample, NaN before the first.
    cluster_size : int
        l, samples per cluster.
    min_clusters : int
        Smallest number of clusters of a class, where it has that many samples.

    References
    ----------
    Sections 3.2 and 3.3 of the CLMLE paper.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> features = rng.normal(size=(90, 8))
    >>> features /= np.linalg.norm(features, axis=1, keepdims=True)
    >>> index = ClusterIndex.build(features, np.repeat([0, 1], [80, 10]), cluster_size=20)
    >>> index.classes.tolist(), index.sizes.tolist()
    ([0, 0, 0, 0, 1], [20, 20, 20, 20, 10])
    """

    labels: np.ndarray
    assignment: np.ndarray
    centroids: np.ndarray
    classes: np.ndarray
    losses: np.ndarray
    cluster_size: int
    min_clusters: int = 1

    @classmethod
    def build(
        cls,
        features: np.ndarray,
        labels: np.ndarray,
        cluster_size: int = 200,
        *,
        min_clusters: int = 1,
        seed: int = 0,
    ) -> ClusterIndex:
        """Cluster every class of a training set.

        A class of L_c samples gets max(min_clusters, floor(L_c / cluster_size)) clusters, at most
        one per sample.

        Parameters
        ----------
        features : (n, d) array
            Features of unit length.
        labels : (n,) integer array
            Classes from 0.
        cluster_size, min_clusters : int
            As the attributes; 1 or more.
        seed : int, default 0
            Seed of the starting centroids.

        Examples
        --------
        >>> ClusterIndex.build(np.eye(4), np.array([0, 0, 0, 1]), 2, min_clusters=2).n_clusters
        3
        """
        index = cls.empty(labels, features.shape[1], cluster_size, min_clusters)
        index.refresh(features, seed=seed, warm=False)
        return index

    @classmethod
    def empty(
        cls, labels: np.ndarray, dim: int, cluster_size: int = 200, min_clusters: int = 1
    ) -> ClusterIndex:
        """An index with the clusters of :meth:`build` for features of dimension ``dim``.

        No sample is assigned to a cluster yet.
        """
        if cluster_size < 1 or min_clusters < 1:
            raise InputError(
                f"cluster_size is {cluster_size} and min_clusters {min_clusters}; "
                "both must be 1 or more."
            )
        labels = np.asarray(labels, dtype=np.int64)
        counts = np.bincount(labels)
        per_class = np.minimum(np.maximum(min_clusters, counts // cluster_size), counts)
        classes = np.repeat(np.arange(len(counts)), per_class)
        assignment = np.zeros(len(labels), dtype=np.int64)
        centroids = np.zeros((len(classes), dim), dtype=np.float32)
        losses = np.full(len(labels), np.nan)
        return cls(labels, assignment, centroids, classes, losses, cluster_size, min_clusters)

    def refresh(
        self,
        features: np.ndarray,
        *,
        seed: int = 0,
        warm: bool = True,
        device: torch.device = CPU,
    ) -> None:
        """Cluster every class again by the ``features`` (n, d) of all samples, of unit length.

        ``warm`` starts from the current centroids, which keeps the identity of clusters. Cached
        losses stay with their samples. Classes with several clusters are clustered on ``device``
        if it is a CUDA GPU.

        Examples
        --------
        >>> index = ClusterIndex.build(np.eye(2), np.array([0, 1]), 1)
        >>> index.refresh(-np.eye(2))
        >>> index.centroids.tolist()
        [[-1.0, -0.0], [-0.0, -1.0]]
        """
        parts = self.parts()
        single = [part for part in parts if part[2] - part[1] == 1]
        done = self._average(features, single)
        for members, first, last in parts:
            if first in done:
                continue
            rows = features[members]
            clusters = balanced_spherical_kmeans(
                to_device(rows, device) if device.type == "cuda" else rows,  # mps has no float64
                n_clusters=last - first,
                init=self.centroids[first:last] if warm else None,
                max_iter=3 if warm else 15,  # features change little between two rounds
                seed=seed,
            )
            self.assignment[members] = first + torch.as_tensor(clusters.labels).cpu().numpy()
            self.centroids[first:last] = torch.as_tensor(clusters.centroids).cpu().numpy()
        self._sort_members()

    def _average(self, features: np.ndarray, single: list[tuple[np.ndarray, int, int]]) -> set[int]:
        """Centroids of classes with one cluster, in blocks: there may be hundreds of thousands.

        Returns the clusters done; clusters whose mean has no direction are left to the clustering.
        """
        done: set[int] = set()
        for start in range(0, len(single), CLASSES_PER_BLOCK):
            part = single[start : start + CLASSES_PER_BLOCK]
            lengths = [len(members) for members, _, _ in part]
            rows = np.concatenate([members for members, _, _ in part])
            clusters = np.array([first for _, first, _ in part])
            sums = np.add.reduceat(features[rows], np.cumsum([0, *lengths[:-1]]), axis=0)
            norms = np.linalg.norm(sums, axis=1, keepdims=True)
            usable = np.isfinite(norms[:, 0]) & (norms[:, 0] > 1e-6)
            self.assignment[rows] = np.repeat(clusters, lengths)
            self.centroids[clusters[usable]] = sums[usable] / norms[usable]
            done.update(clusters[usable].tolist())
        return done

    def parts(self) -> list[tuple[np.ndarray, int, int]]:
        """(samples, first cluster, last cluster + 1) of every class that has samples."""
        order, starts = self._by_class
        firsts = np.searchsorted(self.classes, np.arange(len(starts))).tolist()
        ends = starts.tolist()
        return [
            (order[ends[c] : ends[c + 1]], firsts[c], firsts[c + 1])
            for c in range(len(starts) - 1)
            if ends[c] < ends[c + 1]
        ]

    @cached_property
    def _by_class(self) -> tuple[np.ndarray, np.ndarray]:
        """Samples sorted by class, (n,), and the start of each class, (C + 1,)."""
        counts = np.bincount(self.labels, minlength=int(self.classes[-1]) + 1)
        return np.argsort(self.labels, kind="stable"), np.concatenate([[0], np.cumsum(counts)])

    @property
    def counts(self) -> np.ndarray:
        """Number of samples of each class, (C,)."""
        return np.diff(self._by_class[1])

    @cached_property
    def present(self) -> np.ndarray:
        """Classes that have a cluster, in ascending order."""
        # ``classes`` is sorted; np.unique would take a minute for ten million.
        return self.classes[np.diff(self.classes, prepend=-1) > 0]

    @cached_property
    def sampler_cache(self) -> dict[Any, Any]:
        """Values that samplers derive from the class sizes, which never change."""
        return {}

    def of_class(self, c: int) -> np.ndarray:
        """Samples of class ``c``."""
        order, starts = self._by_class
        return order[starts[c] : starts[c + 1]]

    def clusters_of(self, c: int) -> np.ndarray:
        """Clusters of class ``c``."""
        return np.arange(*np.searchsorted(self.classes, [c, c + 1]))

    def means(self, features: np.ndarray) -> np.ndarray:
        """Means (K, d) of the current clusters of ``features`` (n, d), not normalized."""
        sums = np.zeros_like(self.centroids)
        np.add.at(sums, self.assignment, features)
        return np.asarray(sums / self.sizes[:, None].astype(np.float32))

    def recenter(self, features: np.ndarray) -> None:
        """Compute the centroids of the current clusters from ``features`` (n, d) of unit length."""
        sums = np.zeros((self.n_clusters, features.shape[1]))
        np.add.at(sums, self.assignment, features)
        norms = np.linalg.norm(sums, axis=1, keepdims=True)
        centroids = (sums / np.maximum(norms, 1e-12)).astype(np.float32)
        if centroids.shape == self.centroids.shape:
            self.centroids[:] = centroids  # in place: those of stacked heads are views
        else:
            self.centroids = centroids

    def move(self, clusters: np.ndarray, features: np.ndarray, momentum: float) -> None:
        """Move centroids towards the means of the samples of a batch, which keeps unit length.

        mu becomes momentum mu + (1 - momentum) mean before it is normalized; ``clusters`` (B,) are
        those of the samples, ``features`` (B, d) have unit length.
        """
        mu, own, rows = map(torch.from_numpy, (self.centroids, clusters, features))
        seen, moved = interpolated_means(mu, own, rows, momentum)
        norms = np.linalg.norm(moved.numpy(), axis=1, keepdims=True)
        self.centroids[seen.numpy()] = moved.numpy() / np.maximum(norms, 1e-12)

    def _sort_members(self) -> None:
        self._order = np.argsort(self.assignment, kind="stable")
        self._starts = np.concatenate(
            [[0], np.cumsum(np.bincount(self.assignment, minlength=self.n_clusters))]
        )

    @property
    def n_clusters(self) -> int:
        """K, the number of clusters."""
        return len(self.classes)

    @property
    def sizes(self) -> np.ndarray:
        """Number of samples of each cluster, (K,)."""
        return np.diff(self._starts)

    def sizes_of(self, clusters: np.ndarray) -> np.ndarray:
        """Number of samples of each of ``clusters`` (m,)."""
        return np.asarray(self._starts[clusters + 1] - self._starts[clusters])

    def members(self, cluster: int) -> np.ndarray:
        """Samples of ``cluster``."""
        return self._order[self._starts[cluster] : self._starts[cluster + 1]]

    def record(self, rows: np.ndarray, losses: np.ndarray) -> None:
        """Cache ``losses`` (B,) of the samples ``rows`` (B,); of equal rows the last counts."""
        self.losses[rows] = losses

    def cluster_losses(self, clusters: np.ndarray | None = None) -> np.ndarray:
        """Mean cached loss of each cluster over its recorded samples; +inf where there is none.

        ``clusters`` (m,) are consecutive, such as those of one class; all (K,) by default.

        Examples
        --------
        >>> index = ClusterIndex.build(np.eye(3), np.array([0, 0, 1]), 2)
        >>> index.record(np.array([0, 1]), np.array([1.0, 3.0]))
        >>> index.cluster_losses().tolist()
        [2.0, inf]
        """
        first, last = (0, self.n_clusters) if clusters is None else (clusters[0], clusters[-1] + 1)
        rows = self._order[self._starts[first] : self._starts[last]]
        losses, own = self.losses[rows], self.assignment[rows] - first
        seen = ~np.isnan(losses)
        total = np.bincount(own, np.where(seen, losses, 0.0), minlength=last - first)
        count = np.bincount(own, seen, minlength=last - first)
        return np.where(count > 0, total / np.maximum(count, 1), np.inf)

    def nearest(self, query: int, n_same: int, n_other: int) -> np.ndarray:
        """The clusters nearest to the cluster ``query`` by mu.mu (section 3.3).

        The query comes first, then ``n_same`` - 1 other clusters of its class, then ``n_other`` of
        other classes, each kind nearest first. Where there are not enough clusters of one kind, the
        other kind makes up the number.

        Examples
        --------
        >>> index = ClusterIndex.build(np.eye(3), np.array([0, 0, 1]), 1)
        >>> index.nearest(0, n_same=1, n_other=1).tolist()
        [0, 2]
        """
        similarity = self.centroids @ self.centroids[query]
        similarity[query] = np.inf
        same = self.clusters_of(int(self.classes[query]))
        n_negative, total = self.n_clusters - len(same), n_same + n_other
        take_same = min(len(same), max(n_same, total - n_negative))
        take_other = min(n_negative, total - take_same)
        own = similarity[same]
        similarity[same] = -np.inf
        return np.concatenate([same[_largest(own, take_same)], _largest(similarity, take_other)])

    def state(self) -> dict[str, torch.Tensor]:
        """Arrays that a resumed run needs, as tensors by name."""
        names = ("assignment", "centroids", "classes", "losses")
        return {name: torch.from_numpy(getattr(self, name)) for name in names}

    @classmethod
    def from_state(
        cls,
        labels: np.ndarray,
        state: dict[str, torch.Tensor],
        cluster_size: int,
        min_clusters: int = 1,
    ) -> ClusterIndex:
        """The index whose :meth:`state` is given; sizes as in :meth:`build`."""
        arrays = {name: tensor.numpy().copy() for name, tensor in state.items()}
        labels = np.asarray(labels, dtype=np.int64)
        index = cls(labels, cluster_size=cluster_size, min_clusters=min_clusters, **arrays)
        index._sort_members()
        return index


def interpolated_means(
    centroids: torch.Tensor, clusters: torch.Tensor, features: torch.Tensor, momentum: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Centroids momentum mu + (1 - momentum) mean of the clusters of a batch.

    ``centroids`` are (K, d), ``clusters`` (B,) and ``features`` (B, d). Returns the clusters that
    occur, (m,), and their new centroids before normalization, (m, d).
    """
    seen, position, count = torch.unique(clusters, return_inverse=True, return_counts=True)
    sums = sums_by_label(features.to(centroids.dtype), position, len(seen))
    return seen, momentum * centroids[seen] + (1 - momentum) * (sums / count[:, None])


def _largest(values: np.ndarray, n: int) -> np.ndarray:
    """Indices of the ``n`` largest values, largest first; of equal values the first."""
    if n == 0:
        return np.empty(0, dtype=np.int64)
    # A full sort of a million values to keep twelve would take most of a batch's time.
    least = np.partition(values, len(values) - n)[len(values) - n]
    candidates = np.flatnonzero(values >= least)
    return candidates[np.argsort(-values[candidates], kind="stable")[:n]]
