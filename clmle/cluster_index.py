"""The cluster index: clusters of every class, their centroids, and the losses cached as seen."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch

from clmle.clustering import balanced_spherical_kmeans
from clmle.errors import InputError

AT_ONCE = 10_000  # classes of one cluster that are gathered together


@dataclass
class ClusterIndex:
    """Balanced clusters of every class of a training set (sections 3.2 and 3.3).

    Made by :meth:`build`, brought up to date by :meth:`refresh`. The number of clusters of a
    class depends on its size alone, so clusters keep their numbers for the whole training.

    Attributes
    ----------
    labels : (n,) int64
        Class of every sample.
    assignment : (n,) int64
        Cluster of every sample, in [0, K).
    centroids : (K, d) float32
        Unit centroids, mu of Eq. 7.
    classes : (K,) int64
        Class of every cluster; clusters of one class are neighbors in number.
    losses : (n,) float64
        Last loss seen of every sample, NaN before the first.
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
        """Cluster every class of ``labels`` (n,) by its ``features`` (n, d).

        A class of L_c samples gets max(min_clusters, floor(L_c / cluster_size)) clusters, never
        more than samples. The paper has ``min_clusters`` 1: a class smaller than a cluster is one.
        """
        index = cls.empty(labels, features.shape[1], cluster_size, min_clusters)
        index.refresh(features, seed=seed, warm=False)
        return index

    @classmethod
    def empty(
        cls, labels: np.ndarray, dim: int, cluster_size: int = 200, min_clusters: int = 1
    ) -> ClusterIndex:
        """As many clusters of every class as :meth:`build` makes, not yet found."""
        if cluster_size < 1 or min_clusters < 1:
            raise InputError(
                f"cluster_size is {cluster_size} and min_clusters {min_clusters}; "
                "both must be 1 or more."
            )
        labels = np.asarray(labels, dtype=np.int64)
        counts = np.bincount(labels)
        per_class = np.minimum(np.maximum(min_clusters, counts // cluster_size), counts)
        classes = np.repeat(np.arange(len(counts)), per_class)
        return cls(
            labels=labels,
            assignment=np.zeros(len(labels), dtype=np.int64),
            centroids=np.zeros((len(classes), dim), dtype=np.float32),
            classes=classes,
            losses=np.full(len(labels), np.nan),
            cluster_size=cluster_size,
            min_clusters=min_clusters,
        )

    def refresh(self, features: np.ndarray, *, seed: int = 0, warm: bool = True) -> None:
        """Cluster every class anew from its latest ``features`` (n, d).

        ``warm`` starts from the present centroids, so that cluster identities persist. Cached
        losses stay with their samples.
        """
        parts = self.parts()
        alone = [part for part in parts if part[2] - part[1] == 1]
        done = self._gather(features, alone)
        for members, first, last in parts:
            if first in done:
                continue
            clusters = balanced_spherical_kmeans(
                features[members],
                n_clusters=last - first,
                init=self.centroids[first:last] if warm else None,
                max_iter=3 if warm else 15,  # features move little between two rounds
                seed=seed,
            )
            self.assignment[members] = first + np.asarray(clusters.labels)
            self.centroids[first:last] = clusters.centroids
        self._sort_members()

    def _gather(self, features: np.ndarray, alone: list[tuple[np.ndarray, int, int]]) -> set[int]:
        """Classes of one cluster each, all in one go: there may be hundreds of thousands.

        Returns the clusters done; those without a direction are left to the clustering itself.
        """
        done: set[int] = set()
        for start in range(0, len(alone), AT_ONCE):
            part = alone[start : start + AT_ONCE]
            lengths = [len(members) for members, _, _ in part]
            rows = np.concatenate([members for members, _, _ in part])
            clusters = np.array([first for _, first, _ in part])
            sums = np.add.reduceat(features[rows], np.cumsum([0, *lengths[:-1]]), axis=0)
            norms = np.linalg.norm(sums, axis=1, keepdims=True)
            sound = np.isfinite(norms[:, 0]) & (norms[:, 0] > 1e-6)
            self.assignment[rows] = np.repeat(clusters, lengths)
            self.centroids[clusters[sound]] = sums[sound] / norms[sound]
            done.update(clusters[sound].tolist())
        return done

    def parts(self) -> list[tuple[np.ndarray, int, int]]:
        """Samples of every class that has any, and its clusters: from the first up to the last."""
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
        """Samples in order of class (n,), and where each class starts, (C + 1,)."""
        counts = np.bincount(self.labels, minlength=int(self.classes[-1]) + 1)
        return np.argsort(self.labels, kind="stable"), np.concatenate([[0], np.cumsum(counts)])

    @property
    def counts(self) -> np.ndarray:
        """Samples of every class, (C,)."""
        return np.diff(self._by_class[1])

    @cached_property
    def present(self) -> np.ndarray:
        """Classes that have a cluster, in order."""
        # They are in order already; to sort or hash ten million takes a minute.
        return self.classes[np.diff(self.classes, prepend=-1) > 0]

    @cached_property
    def of_samplers(self) -> dict[Any, Any]:
        """What samplers work out from the sizes of all classes, which never change, and keep."""
        return {}

    def of_class(self, c: int) -> np.ndarray:
        """Samples of one class."""
        order, starts = self._by_class
        return order[starts[c] : starts[c + 1]]

    def clusters_of(self, c: int) -> np.ndarray:
        """Clusters of one class."""
        return np.arange(*np.searchsorted(self.classes, [c, c + 1]))

    def recenter(self, features: np.ndarray) -> None:
        """Centroids of the clusters as they are, in the space of ``features`` (n, d)."""
        sums = np.zeros((self.n_clusters, features.shape[1]))
        np.add.at(sums, self.assignment, features)
        norms = np.linalg.norm(sums, axis=1, keepdims=True)
        self.centroids = (sums / np.maximum(norms, 1e-12)).astype(np.float32)

    def move(self, clusters: np.ndarray, features: np.ndarray, momentum: float) -> None:
        """Move the centroids of ``clusters`` (B,) towards the means of unit rows (B, d) seen."""
        seen, place = np.unique(clusters, return_inverse=True)
        means = np.zeros((len(seen), features.shape[1]), dtype=np.float32)
        np.add.at(means, place, features)
        means /= np.bincount(place)[:, None]
        moved = momentum * self.centroids[seen] + (1 - momentum) * means
        self.centroids[seen] = moved / np.maximum(
            np.linalg.norm(moved, axis=1, keepdims=True), 1e-12
        )

    def _sort_members(self) -> None:
        self._order = np.argsort(self.assignment, kind="stable")
        self._starts = np.concatenate(
            [[0], np.cumsum(np.bincount(self.assignment, minlength=self.n_clusters))]
        )

    @property
    def n_clusters(self) -> int:
        return len(self.classes)

    @property
    def sizes(self) -> np.ndarray:
        """Members of every cluster, (K,)."""
        return np.diff(self._starts)

    def sizes_of(self, clusters: np.ndarray) -> np.ndarray:
        """Members of each of ``clusters`` (m,)."""
        sizes: np.ndarray = self._starts[clusters + 1] - self._starts[clusters]
        return sizes

    def members(self, cluster: int) -> np.ndarray:
        """Samples of one cluster."""
        return self._order[self._starts[cluster] : self._starts[cluster + 1]]

    def record(self, rows: np.ndarray, losses: np.ndarray) -> None:
        """Cache the losses seen of samples ``rows`` (a row seen twice keeps the last)."""
        self.losses[rows] = losses

    def cluster_losses(self, clusters: np.ndarray | None = None) -> np.ndarray:
        """Mean cached loss of the members seen; +inf for a cluster never seen.

        Of all clusters (K,), or of ``clusters`` (m,), consecutive ones such as those of a class.
        """
        first, last = (0, self.n_clusters) if clusters is None else (clusters[0], clusters[-1] + 1)
        rows = self._order[self._starts[first] : self._starts[last]]
        losses, own = self.losses[rows], self.assignment[rows] - first
        seen = ~np.isnan(losses)
        total = np.bincount(own, np.where(seen, losses, 0.0), minlength=last - first)
        count = np.bincount(own, seen, minlength=last - first)
        return np.where(count > 0, total / np.maximum(count, 1), np.inf)

    def nearest(self, query: int, n_same: int, n_other: int) -> np.ndarray:
        """The clusters nearest to ``query`` by mu.mu, itself first.

        ``n_same`` of its own class (itself included) and ``n_other`` of other classes; where
        one kind runs short the other fills the places.
        """
        similarity = self.centroids @ self.centroids[query]
        similarity[query] = np.inf
        same = self.clusters_of(int(self.classes[query]))
        n_negative_clusters = self.n_clusters - len(same)
        total = n_same + n_other
        take_same = min(len(same), max(n_same, total - n_negative_clusters))
        take_other = min(n_negative_clusters, total - take_same)
        own = similarity[same]
        similarity[same] = -np.inf
        return np.concatenate([same[_largest(own, take_same)], _largest(similarity, take_other)])

    def state(self) -> dict[str, torch.Tensor]:
        """Everything that a resumed run needs, as tensors."""
        return {
            "assignment": torch.from_numpy(self.assignment),
            "centroids": torch.from_numpy(self.centroids),
            "classes": torch.from_numpy(self.classes),
            "losses": torch.from_numpy(self.losses),
        }

    @classmethod
    def from_state(
        cls,
        labels: np.ndarray,
        state: dict[str, torch.Tensor],
        cluster_size: int,
        min_clusters: int = 1,
    ) -> ClusterIndex:
        """The index that :meth:`state` described."""
        arrays = {name: tensor.numpy().copy() for name, tensor in state.items()}
        index = cls(
            labels=np.asarray(labels, dtype=np.int64),
            cluster_size=cluster_size,
            min_clusters=min_clusters,
            **arrays,
        )
        index._sort_members()
        return index


def _largest(values: np.ndarray, n: int) -> np.ndarray:
    """Places of the ``n`` largest, largest first; of equals the first."""
    if n == 0:
        return np.empty(0, dtype=np.int64)
    # Sorting all of a million to keep twelve would be most of a batch's time.
    least = np.partition(values, len(values) - n)[len(values) - n]
    able = np.flatnonzero(values >= least)
    return able[np.argsort(-values[able], kind="stable")[:n]]
