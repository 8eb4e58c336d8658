"""A data set (images, labels, splits) and a task (one target of it, ready to learn)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from clmle.errors import InputError, quoted, some

TRAIN, VALIDATION, TEST = 0, 1, 2
SPLITS = ("train", "validation", "test")
UNKNOWN = -1


@dataclass(frozen=True)
class Dataset:
    """Images with binary attributes and/or one class label each, and a split.

    Parameters
    ----------
    name : str
        What runs and pages call it.
    images : (n, height, width, channels) uint8
        Pixels; usually a read-only memory map. channels is 1 or 3.
    split : (n,) int8
        0 train, 1 validation, 2 test.
    attributes : dict of name -> (n,) int8
        1 shown, 0 not shown, -1 unknown (left out of the task).
    labels : dict of name -> (n,) int64
        Multi-class targets, e.g. ``label`` or ``identity``; -1 unknown.
    class_names : dict of label name -> names of its classes
        Optional; numbers are used where it is missing.
    metadata : dict of name -> (n,) array
        Anything else known of an image (style, file name, pose, ...), for figures.
    warnings : sentences
        What a person should know of it, such as which files could not be read.
    """

    name: str
    images: np.ndarray
    split: np.ndarray
    attributes: Mapping[str, np.ndarray] = field(default_factory=dict)
    labels: Mapping[str, np.ndarray] = field(default_factory=dict)
    class_names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    metadata: Mapping[str, np.ndarray] = field(default_factory=dict)
    warnings: Sequence[str] = ()

    def __len__(self) -> int:
        return len(self.images)

    @property
    def targets(self) -> tuple[str, ...]:
        """Names that :meth:`task` accepts."""
        return (*self.attributes, *self.labels)

    def task(self, target: str | None = None) -> Task:
        """One target of this data set, unknown labels left out.

        Raises
        ------
        InputError
            Unknown target, or a training class without a single image.
        """
        if target is None:
            target = self.targets[0]
        if target in self.attributes:
            values = np.asarray(self.attributes[target])
            names: tuple[str, ...] = (f"not {target}", target)
        elif target in self.labels:
            values = np.asarray(self.labels[target])
            n_classes = int(values.max(initial=-1)) + 1
            names = tuple(self.class_names.get(target, map(str, range(n_classes))))
        else:
            raise InputError(
                f"{self.name} has no attribute or label named {quoted(target)}; "
                f"choose one of: {some(self.targets)}."
            )
        rows = [np.flatnonzero((self.split == s) & (values != UNKNOWN)) for s in range(3)]
        return Task(
            f"{self.name}/{target}", self.images, values.astype(np.int64), names, *rows
        ).checked()


@dataclass(frozen=True)
class Task:
    """One target of a data set: what a method learns and is judged by.

    ``labels`` is (n,) int64 over all images; only the rows in ``train``, ``validation``
    and ``test`` (index arrays into images and labels) are ever used.
    """

    name: str
    images: np.ndarray
    labels: np.ndarray
    class_names: tuple[str, ...]
    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray

    @property
    def n_classes(self) -> int:
        return len(self.class_names)

    def rows(self, split: str) -> np.ndarray:
        """Index array of ``split`` ("train", "validation" or "test")."""
        return {"train": self.train, "validation": self.validation, "test": self.test}[split]

    def class_counts(self, split: str = "train") -> np.ndarray:
        """Images of each class, (C,) int64."""
        return np.bincount(self.labels[self.rows(split)], minlength=self.n_classes)

    def with_train(self, train: np.ndarray) -> Task:
        """The same task with other training rows; validation and test stay as they are."""
        return replace(self, train=np.asarray(train, dtype=np.int64)).checked()

    def checked(self) -> Task:
        """This task, or an InputError that names an empty split or class."""
        for split in SPLITS:
            if len(self.rows(split)) == 0:
                raise InputError(f"{self.name} has no labeled image in its {split} split.")
        counts = self.class_counts("train")
        if self.n_classes < 2:
            raise InputError(f"{self.name} has a single class; two or more are needed to learn.")
        if (counts == 0).any():
            empty = self.class_names[int(np.argmin(counts))]
            raise InputError(
                f"Class {empty!r} of {self.name} has no training image; "
                "choose another target or give that class some images."
            )
        return self


def describe(dataset: Dataset) -> list[dict[str, Any]]:
    """One row for each attribute value or class: its name and its images in every split."""
    rows = []
    for target, values in (*dataset.attributes.items(), *dataset.labels.items()):
        if target in dataset.attributes:
            kinds = [(1, target), (0, f"not {target}"), (UNKNOWN, f"{target} unknown")]
        else:
            n_classes = int(values.max(initial=-1)) + 1
            names = dataset.class_names.get(target, tuple(map(str, range(n_classes))))
            kinds = list(enumerate(names))
        # Counted for all values at once: identities are many. UNKNOWN is -1, so counts shift by 1.
        counts = {
            split: np.bincount(values[dataset.split == number].astype(np.int64) + 1)
            for number, split in enumerate(SPLITS)
        }
        for value, name in kinds:
            row: dict[str, Any] = {"target": target, "class": name, "value": int(value)}
            for split, found in counts.items():
                row[split] = int(found[value + 1]) if value + 1 < len(found) else 0
            rows.append(row)
    return rows
