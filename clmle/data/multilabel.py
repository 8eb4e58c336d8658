"""Several binary attributes of the same images, trained as one multi-label task."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from clmle.data.base import SPLITS, TEST, TRAIN, UNKNOWN, VALIDATION, Dataset, Task, check_splits
from clmle.errors import InputError, quoted, some


@dataclass(frozen=True)
class MultiTask:
    """Attributes of a data set that have training images of both values.

    Parameters
    ----------
    name : str
    images : (n, height, width, channels) uint8
    labels : (n, A) int64
        1 present, 0 absent, -1 unknown (masked).
    attributes : tuple of str
        Names of the A attributes.
    left_out : tuple of str
        Attributes that cannot be trained or evaluated: without a positive or a negative training
        image, or unknown in all validation or test images.
    train, validation, test : arrays of int64
        Indices into ``images`` and ``labels``.
    """

    name: str
    images: np.ndarray
    labels: np.ndarray
    attributes: tuple[str, ...]
    left_out: tuple[str, ...]
    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray

    n_classes = 2
    class_names = ("not shown", "shown")

    def rows(self, split: str) -> np.ndarray:
        """Indices of the images of ``split`` ("train", "validation" or "test")."""
        return {"train": self.train, "validation": self.validation, "test": self.test}[split]

    def class_counts(self, split: str = "train") -> np.ndarray:
        """Number of images without and with each attribute, (A, 2) int64."""
        labels = self.labels[self.rows(split)]
        return np.stack([(labels == 0).sum(axis=0), (labels == 1).sum(axis=0)], axis=1)

    @cached_property
    def tasks(self) -> tuple[Task, ...]:
        """One single-label task for each attribute, on the images for which it is known."""
        return tuple(
            Task(
                f"{self.name.rsplit('/', 1)[0]}/{name}",
                self.images,
                self.labels[:, a],
                (f"not {name}", name),
                *(rows[self.labels[rows, a] != UNKNOWN] for rows in map(self.rows, SPLITS)),
            ).checked()
            for a, name in enumerate(self.attributes)
        )


def multi_task(dataset: Dataset, names: Sequence[str] = ()) -> MultiTask:
    """Make one multi-label task of several attributes."""
    names = list(names) or list(dataset.attributes)
    if not names:
        raise InputError(f"{dataset.name} has no binary attributes for a multi-label task.")
    for name in names:
        if name not in dataset.attributes:
            raise InputError(
                f"{dataset.name} has no attribute {quoted(name)}; "
                f"choose among: {some(dataset.attributes)}."
            )
    values = np.stack([dataset.attributes[n] for n in names], axis=1).astype(np.int64)
    split = np.where((values != UNKNOWN).any(axis=1), dataset.split, -1)
    rows = [np.flatnonzero(split == s) for s in (TRAIN, VALIDATION, TEST)]
    check_splits(dataset.name, rows)
    usable = [
        set(np.unique(values[rows[TRAIN], a])) >= {0, 1}
        and all((values[part, a] != UNKNOWN).any() for part in rows[1:])
        for a in range(len(names))
    ]
    if not any(usable):
        raise InputError(f"No attribute of {dataset.name} has training images of both values.")
    kept = [name for name, good in zip(names, usable, strict=True) if good]
    return MultiTask(
        f"{dataset.name}/{len(kept)} attributes",
        dataset.images,
        np.ascontiguousarray(values[:, usable]),
        tuple(kept),
        tuple(name for name in names if name not in kept),
        *rows,
    )
