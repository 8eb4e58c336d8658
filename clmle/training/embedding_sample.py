"""Which images' features are kept after every round, to be looked at."""

from __future__ import annotations

import numpy as np

from clmle.data.base import Task

MOST_CLASSES = 100  # of more, some are shown


def embedding_sample(task: Task, seed: int, size: int = 2400) -> tuple[np.ndarray, np.ndarray]:
    """Rows and splits of ``size`` images: two thirds training, rare classes as far as they go."""
    rows, splits = [], []
    classes = embedding_classes(task, seed)
    for split, name, share in ((0, "train", 2), (2, "test", 1)):
        members = task.rows(name)
        each = size * share // 3 // len(classes)
        if len(classes) < task.n_classes:
            members = members[np.isin(task.labels[members], classes)]
        for c in classes:
            mine = members[task.labels[members] == c]
            rng = np.random.default_rng([seed, 3, split, int(c)])
            # The majority may use what the minority leaves.
            limit = max(each, size * share // 3 - (len(members) - len(mine)))
            rows.append(np.sort(rng.permutation(mine)[:limit]))
            splits.append(np.full(len(rows[-1]), split, dtype=np.int8))
    return np.concatenate(rows), np.concatenate(splits)


def embedding_classes(task: Task, seed: int) -> np.ndarray:
    """All classes, or of very many so many that have test images as can be told apart."""
    if task.n_classes <= MOST_CLASSES:
        return np.arange(task.n_classes)
    able = np.flatnonzero(task.class_counts("test"))
    rng = np.random.default_rng([seed, 3])
    return np.sort(rng.permutation(able)[:MOST_CLASSES])


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
