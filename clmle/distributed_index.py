"""An index of which several processes hold a copy each: every one clusters some of the classes and
sees some of the samples, and what it found goes into all copies alike.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from clmle.cluster_index import ClusterIndex

News = dict[str, np.ndarray]


@dataclass
class DistributedIndex(ClusterIndex):
    """The copy of process ``rank`` of ``size``; made by :meth:`of`.

    ``record``, ``move`` and ``refresh`` only keep news, which :meth:`changes` hands over. When every
    process has given those of all to :meth:`merge`, the copies are the same again, and the same as
    an index that had seen everything itself.

    ``turn`` passes the largest class on to another process: of the indices of many attributes the
    large classes then do not all fall to the first.
    """

    rank: int = 0
    size: int = 1
    turn: int = 0
    _news: dict[str, list[np.ndarray]] = field(default_factory=lambda: defaultdict(list))
    _new_space: np.ndarray | None = None

    @classmethod
    def of(cls, index: ClusterIndex, rank: int, size: int, turn: int = 0) -> DistributedIndex:
        """``index`` as process ``rank`` of ``size`` keeps it."""
        shared = cls(
            index.labels,
            index.assignment,
            index.centroids,
            index.classes,
            index.losses,
            index.cluster_size,
            index.min_clusters,
            rank,
            size,
            turn,
        )
        shared._sort_members()
        return shared

    def parts(self) -> list[tuple[np.ndarray, int, int]]:
        """The classes that are clustered here: in order of size, one for every process in turn."""
        found = super().parts()
        by_size = sorted(range(len(found)), key=lambda i: -len(found[i][0]))
        return [found[i] for i in sorted(by_size[(self.rank - self.turn) % self.size :: self.size])]

    def refresh(self, features: np.ndarray, *, seed: int = 0, warm: bool = True) -> None:
        super().refresh(features, seed=seed, warm=warm)
        for members, first, last in self.parts():
            self._keep(
                samples=members,
                assignment=self.assignment[members],
                clusters=np.arange(first, last),
                centroids=self.centroids[first:last],
            )

    def recenter(self, features: np.ndarray) -> None:
        self._new_space = features  # which all have: only the clusters of the others are missing

    def record(self, rows: np.ndarray, losses: np.ndarray) -> None:
        self._keep(rows=rows, losses=losses)

    def move(self, clusters: np.ndarray, features: np.ndarray, momentum: float) -> None:
        self._keep(moved=clusters, seen=features, momentum=np.array([momentum]))

    def _keep(self, **arrays: np.ndarray) -> None:
        for name, array in arrays.items():
            self._news[name].append(array)

    def changes(self) -> News:
        """What happened here since the last time, by name."""
        news = {name: np.concatenate(arrays) for name, arrays in self._news.items()}
        self._news.clear()
        return news

    def merge(self, news: Sequence[News]) -> None:
        """Take up what all processes report by :meth:`changes`, in order of rank; a row seen twice keeps the last."""
        found = [one for one in news if "samples" in one]
        for one in found:
            self.assignment[one["samples"]] = one["assignment"]
            self.centroids[one["clusters"]] = one["centroids"]
        if found:
            self._sort_members()
        if self._new_space is not None:
            super().recenter(self._new_space)
            self._new_space = None
        for one in news:
            if "rows" in one:
                super().record(one["rows"], one["losses"])
        moves = [one for one in news if "moved" in one]
        if moves:
            super().move(
                np.concatenate([one["moved"] for one in moves]),
                np.concatenate([one["seen"] for one in moves]),
                float(moves[0]["momentum"][0]),
            )
