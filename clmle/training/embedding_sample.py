"""The images whose features are stored after every round."""

import numpy as np

from clmle.data.base import Task

MOST_CLASSES = 100  # of more classes a random selection is stored


def embedding_sample(task: Task, seed: int, size: int = 2400) -> tuple[np.ndarray, np.ndarray]:
    """Draw rows and splits of ``size`` images, two thirds of them training images.

    All classes get the same number of images as far as they have so many.
    """
    rows, splits = [], []
    classes = embedding_classes(task, seed)
    for split, name, thirds in ((0, "train", 2), (2, "test", 1)):
        members = task.rows(name)
        each = size * thirds // 3 // len(classes)
        if len(classes) < task.n_classes:
            members = members[np.isin(task.labels[members], classes)]
        for c in classes:
            of_class = members[task.labels[members] == c]
            rng = np.random.default_rng([seed, 3, split, int(c)])
            # The majority class may use what the minority class leaves.
            limit = max(each, size * thirds // 3 - (len(members) - len(of_class)))
            rows.append(np.sort(rng.permutation(of_class)[:limit]))
            splits.append(np.full(len(rows[-1]), split, dtype=np.int8))
    return np.concatenate(rows), np.concatenate(splits)


def embedding_classes(task: Task, seed: int) -> np.ndarray:
    """Return all classes, or a random selection of those with test images if there are many."""
    if task.n_classes <= MOST_CLASSES:
        return np.arange(task.n_classes)
    tested = np.flatnonzero(task.class_counts("test"))
    rng = np.random.default_rng([seed, 3])
    return np.sort(rng.permutation(tested)[:MOST_CLASSES])


def clusters_of(
    rows: np.ndarray, split: np.ndarray, train: np.ndarray, assignment: np.ndarray | None
) -> np.ndarray:
    """Return the cluster of each of ``rows`` (m,); -1 for test images and without clusters.

    ``assignment`` (n,) holds the clusters of the training rows ``train`` (n,).
    """
    clusters = np.full(len(rows), -1, dtype=np.int64)
    if assignment is not None:
        cluster_of = dict(zip(train.tolist(), assignment, strict=True))
        clusters[split == 0] = [cluster_of[row] for row in rows[split == 0].tolist()]
    return clusters
