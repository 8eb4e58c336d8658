"""A cluster index that follows training from its batches, without passes over the training set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch.distributed as dist

from clmle._gather import gather_arrays, n_processes
from clmle.cluster_index import CPU, ClusterIndex
from clmle.distributed_index import DistributedIndex
from clmle.errors import InputError


class BatchIndex:
    """Cluster indices of one or several labels, updated from the features of batches.

    The last feature of every sample is kept in memory, n d float32 values (n A d where every label
    has its own features). After every ``refresh_every`` samples the classes are clustered again by
    these features; in between, the centroids move towards the batches. Samples that no batch had
    yet take the features of others of their class.

    Under ``torch.distributed`` all processes exchange their batches, so that their indices stay
    equal, and each clusters a part of the classes.

    Parameters
    ----------
    labels : (n, A) integer array
        Class of each sample for each of A labels, below 0 where it is unknown.
    dim : int
        d, dimension of the features.
    cluster_size, min_clusters : int
        As in :meth:`ClusterIndex.build`.
    momentum : float
        Weight of a stored centroid when a batch moves it.
    refresh_every : int
        Samples between two clusterings.
    seed : int
        Seed of the clusterings.

    Attributes
    ----------
    indexes : list of ClusterIndex
        One for each label, over the samples where it is known.
    rows : (n, A) integer array
        Row of each sample in the index of each label; -1 where the label is unknown.
    started : bool
        Whether the classes were clustered; until then the clusters are arbitrary.
    device : torch.device
        Where the classes are clustered, as in :meth:`ClusterIndex.refresh`; the CPU until it is
        set.
    """

    def __init__(
        self,
        labels: np.ndarray,
        dim: int,
        cluster_size: int,
        min_clusters: int,
        momentum: float,
        refresh_every: int,
        seed: int,
    ) -> None:
        self.momentum, self.refresh_every, self.seed = momentum, refresh_every, seed
        self.dim, self.device = dim, CPU
        self.known = [np.flatnonzero(column >= 0) for column in labels.T]
        self.rows = np.full(labels.shape, -1, dtype=np.int64)
        self.indexes: list[ClusterIndex] = []
        for a, known in enumerate(self.known):
            self.rows[known, a] = np.arange(len(known))
            empty = ClusterIndex.empty(labels[known, a], dim, cluster_size, min_clusters)
            self.indexes.append(_dealt(empty, np.random.default_rng([seed, a])))
        self.seen = np.zeros(len(labels), dtype=bool)
        self.memory = np.empty((0, dim), dtype=np.float32)  # until the first batch
        self.n_new = 0
        self.n_clusterings = 0

    @property
    def started(self) -> bool:
        """Whether the classes were clustered."""
        return self.n_clusterings > 0

    def update(self, samples: np.ndarray, features: np.ndarray, losses: np.ndarray) -> None:
        """Take a batch: its samples (B,), unit features (B, d) or (B, A, d) and losses (B, A)."""
        if n_processes() > 1:
            parts = gather_arrays({"samples": samples, "features": features, "losses": losses})
            samples, features, losses = (
                np.concatenate([part[name] for part in parts])
                for name in ("samples", "features", "losses")
            )
        if not len(self.memory):
            self.memory = np.zeros((len(self.rows), *features.shape[1:]), dtype=np.float32)
        self.memory[samples] = features
        self.seen[samples] = True
        for a, index in enumerate(self.indexes):
            rows = self.rows[samples, a]
            known = rows >= 0
            own = features if features.ndim == 2 else features[:, a]
            if self.started and known.any():
                index.move(index.assignment[rows[known]], own[known], self.momentum)
            index.record(rows[known], losses[known, a])
        self.n_new += len(samples)
        if self.n_new >= self.refresh_every:
            self.refresh()

    def refresh(self, features: np.ndarray | None = None) -> None:
        """Cluster every class again: by unit ``features`` (n, ..., d), or by those in memory."""
        if features is not None:
            self.memory = np.array(features, dtype=np.float32)
            self.seen[:] = True
        for a, index in enumerate(self.indexes):
            own = self._features(a)
            options: dict[str, Any] = {
                "seed": self.seed, "warm": self.started, "device": self.device,
            }  # fmt: skip
            if n_processes() == 1:
                index.refresh(own, **options)
                continue
            # A view of the same arrays, in which this process clusters some of the classes.
            shared = DistributedIndex.of(index, dist.get_rank(), n_processes(), a)
            shared.refresh(own, **options)
            shared.merge(gather_arrays(shared.changes()))
            index._sort_members()
        self.n_new = 0
        self.n_clusterings += 1

    def _features(self, a: int) -> np.ndarray:
        """Features of the samples with a known label ``a``; others stand in for the unseen."""
        known, index = self.known[a], self.indexes[a]
        features = self.memory[known] if self.memory.ndim == 2 else self.memory[known, a]
        unseen = ~self.seen[known]
        generator = np.random.default_rng([self.seed, self.n_clusterings, a])
        features[unseen] = _directions(int(unseen.sum()), self.dim, generator)
        for c in np.unique(index.labels[unseen]).tolist():
            members = index.of_class(c)
            seen, missing = members[~unseen[members]], members[unseen[members]]
            if len(seen):
                features[missing] = features[generator.choice(seen, len(missing))]
        return features

    def state(self) -> dict[str, np.ndarray]:
        """Arrays by name that :meth:`load_state` takes."""
        counts = np.array([self.n_new, self.n_clusterings])
        found = {"memory": self.memory, "seen": self.seen, "counts": counts}
        for a, index in enumerate(self.indexes):
            found |= {f"{a}.{name}": tensor.numpy() for name, tensor in index.state().items()}
        return found

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Continue from a :meth:`state` of the same labels."""
        own = {name: array.shape for name, array in self.state().items() if name != "memory"}
        given = {name: array.shape for name, array in state.items() if name != "memory"}
        same = own == given and all(
            np.array_equal(state[f"{a}.classes"], index.classes)
            for a, index in enumerate(self.indexes)
        )
        if not same:
            raise InputError(
                "The stored clusters belong to other labels or sizes; make the loss with the "
                "labels, dim, cluster_size and min_clusters of the stored one."
            )
        self.memory, self.seen = state["memory"].copy(), state["seen"].copy()
        self.n_new, self.n_clusterings = state["counts"].tolist()
        for a, index in enumerate(self.indexes):
            for name in index.state():
                getattr(index, name)[...] = state[f"{a}.{name}"]
            index._sort_members()


def _dealt(index: ClusterIndex, generator: np.random.Generator) -> ClusterIndex:
    """An empty index with arbitrary clusters, of equal sizes within a class."""
    for members, first, last in index.parts():
        dealt = first + np.arange(len(members)) % (last - first)
        index.assignment[members] = generator.permutation(dealt)
    index.centroids[:] = _directions(index.n_clusters, index.centroids.shape[1], generator)
    index._sort_members()
    return index


def _directions(n: int, dim: int, generator: np.random.Generator) -> np.ndarray:
    """Random unit rows (n, dim)."""
    rows = generator.normal(size=(n, dim)).astype(np.float32)
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12))
