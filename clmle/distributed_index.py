"""A cluster index that several processes share.

Each process holds a copy, clusters some of the classes and trains on some of the samples. The
changes of all processes are merged into every copy.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from clmle.cluster_index import ClusterIndex

Changes = dict[str, np.ndarray]


@dataclass
class DistributedIndex(ClusterIndex):
    """The copy of process ``rank`` of ``size``; made by :meth:`of`.

    ``record``, ``move`` and ``refresh`` store changes, which :meth:`changes` returns. After every
    process has passed the changes of all to :meth:`merge`, the copies are equal, and equal to a
    :class:`ClusterIndex` that received all samples itself.

    ``turn`` is the process that clusters the largest class: with one index per attribute, a
    different turn for each distributes the largest classes over the processes.
    """

    rank: int = 0
    size: int = 1
    turn: int = 0
    _changes: dict[str, list[np.ndarray]] = field(default_factory=lambda: defaultdict(list))
    _new_space: np.ndarray | None = None

    @classmethod
    def of(cls, index: ClusterIndex, rank: int, size: int, turn: int = 0) -> DistributedIndex:
        """The copy of ``index`` for process ``rank`` of ``size``."""
        facts = {f.name: getattr(index, f.name) for f in fields(ClusterIndex)}
        shared = cls(**facts, rank=rank, size=size, turn=turn)
        shared._sort_members()
        return shared

    def parts(self) -> list[tuple[np.ndarray, int, int]]:
        """The classes that this process clusters: every ``size``-th in order of size."""
        found = super().parts()
        by_size = sorted(range(len(found)), key=lambda i: -len(found[i][0]))
        return [found[i] for i in sorted(by_size[(self.rank - self.turn) % self.size :: self.size])]

    def refresh(self, features: np.ndarray, **options: Any) -> None:
        super().refresh(features, **options)
        for members, first, last in self.parts():
            self._keep(
                samples=members,
                assignment=self.assignment[members],
                clusters=np.arange(first, last),
                centroids=self.centroids[first:last],
            )

    def recenter(self, features: np.ndarray) -> None:
        self._new_space = features  # merge() recenters, when the clusters of all are known

    def record(self, rows: np.ndarray, losses: np.ndarray) -> None:
        self._keep(rows=rows, losses=losses)

    def move(self, clusters: np.ndarray, features: np.ndarray, momentum: float) -> None:
        self._keep(moved=clusters, seen=features, momentum=np.array([momentum]))

    def _keep(self, **arrays: np.ndarray) -> None:
        for name, array in arrays.items():
            self._changes[name].append(array)

    def changes(self) -> Changes:
        """Arrays of the changes since the last call, by name."""
        changes = {name: np.concatenate(arrays) for name, arrays in self._changes.items()}
        self._changes.clear()
        return changes

    def merge(self, changes: Sequence[Changes]) -> None:
        """Apply the :meth:`changes` of all processes, in order of rank."""
        clustered = [one for one in changes if "samples" in one]
        for one in clustered:
            self.assignment[one["samples"]] = one["assignment"]
            self.centroids[one["clusters"]] = one["centroids"]
        if clustered:
            self._sort_members()
        if self._new_space is not None:
            super().recenter(self._new_space)
            self._new_space = None
        for one in changes:
            if "rows" in one:
                super().record(one["rows"], one["losses"])
        moves = [one for one in changes if "moved" in one]
        if moves:
            super().move(
                np.concatenate([one["moved"] for one in moves]),
                np.concatenate([one["seen"] for one in moves]),
                float(moves[0]["momentum"][0]),
            )
