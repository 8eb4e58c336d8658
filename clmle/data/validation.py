"""Validation images of a chosen number, with equal classes or as imbalanced as training."""

from dataclasses import replace

import numpy as np

from clmle.data.base import Task
from clmle.errors import InputError


def draw_validation(
    task: Task, reserve: np.ndarray, size: int, balanced: bool, seed: int = 0
) -> Task:
    """The task with ``size`` validation images, which are not training images.

    They are taken from ``reserve``, the indices of images that training does not use, and from the
    training images where a class has too few of those. Every class keeps a training image.
    """
    train = np.bincount(task.labels[task.train], minlength=task.n_classes)
    fractions = np.full(task.n_classes, 1 / task.n_classes) if balanced else train / train.sum()
    if size < task.n_classes:
        raise InputError(
            f"validation_size is {size:,}, but {task.name} has {task.n_classes:,} classes; "
            "choose at least one image for each."
        )
    wanted = _rounded(fractions, size)
    spare = np.setdiff1d(reserve, np.concatenate([task.train, task.test]))
    chosen = []
    for c, count in enumerate(wanted):
        rng = np.random.default_rng([seed, c])
        rows = np.concatenate(
            [rng.permutation(pool[task.labels[pool] == c]) for pool in (spare, task.train)]
        )
        if count >= len(rows):
            raise InputError(
                f"Validation needs {count:,} images of class {task.class_names[c]!r} and training "
                f"at least one, but there are {len(rows):,}; choose a smaller validation_size."
            )
        chosen.append(rows[:count])
    validation = np.sort(np.concatenate(chosen))
    return replace(
        task, train=np.setdiff1d(task.train, validation), validation=validation
    ).checked()


def validation_of_test(task: Task, seed: int = 0) -> Task:
    """The task with all its training and validation images for training.

    Half of the test images of each class become validation images.
    """
    chosen = []
    for c in range(task.n_classes):
        rows = task.test[task.labels[task.test] == c]
        chosen.append(np.random.default_rng([seed, c]).permutation(rows)[: len(rows) // 2])
    validation = np.sort(np.concatenate(chosen))
    return replace(
        task,
        train=np.sort(np.concatenate([task.train, task.validation])),
        validation=validation,
        test=np.setdiff1d(task.test, validation),
    ).checked()


def _rounded(fractions: np.ndarray, size: int) -> np.ndarray:
    """Whole numbers in proportion to ``fractions``, at least 1 each, with the sum ``size``."""
    exact = fractions * size
    counts: np.ndarray = np.maximum(1, np.floor(exact)).astype(np.int64)
    while (left := size - counts.sum()) != 0:
        order = np.argsort(counts - exact, kind="stable")  # from the most to the least lacking
        able = order if left > 0 else order[::-1][counts[order[::-1]] > 1]
        counts[able[: abs(left)]] += int(np.sign(left))
    return counts
