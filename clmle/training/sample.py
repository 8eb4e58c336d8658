"""Which images' features are kept after every round, to be looked at."""

from __future__ import annotations

import numpy as np

from clmle.data.base import Task

SAMPLE = 2400


def embedding_sample(task: Task, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows and splits to show: two thirds training, one third test, rare classes in full."""
    rows, splits = [], []
    for split, name, share in ((0, "train", 2), (2, "test", 1)):
        members = task.rows(name)
        each = SAMPLE * share // 3 // task.n_classes
        for c in range(task.n_classes):
            mine = members[task.labels[members] == c]
            rng = np.random.default_rng([seed, 3, split, c])
            # The majority may use what the minority leaves.
            limit = max(each, SAMPLE * share // 3 - (len(members) - len(mine)))
            rows.append(np.sort(rng.permutation(mine)[:limit]))
            splits.append(np.full(len(rows[-1]), split, dtype=np.int8))
    return np.concatenate(rows), np.concatenate(splits)


def clusters_of(
    rows: np.ndarray, split: np.ndarray, train: np.ndarray, assignment: np.ndarray | None
) -> np.ndarray:
    """Cluster of each of ``rows`` (m,), -1 where it is no training image or there are none.

    ``assignment`` (n,) holds the cluster of every one of the rows ``train`` (n,).
    """
    clusters = np.full(len(rows), -1, dtype=np.int64)
    if assignment is not None:
        place = {int(row): i for i, row in enumerate(train)}
        for i in np.flatnonzero(split == 0):
            clusters[i] = assignment[place[int(rows[i])]]
    return clusters
