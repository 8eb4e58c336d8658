"""A data set (images, labels, splits) and a task (one target of a data set, ready to train on)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from clmle.errors import InputError, quoted, some

TRAIN, VALIDATION, TEST = 0, 1, 2
LEFT_OUT = -1  # of a split
SPLITS = ("train", "validation", "test")
UNKNOWN = -1  # of an attribute or label

Progress = Callable[[int, int], None]  # called with (images done, images in all)


@dataclass(frozen=True)
class Dataset:
    """Images with binary attributes, class labels, or both, and a split.

    Parameters
    ----------
    name : str
        Name in the metadata of runs and in the app.
    images : (n, height, width, channels) uint8
        Pixels, usually a read-only memory map; 1 or 3 channels.
    split : (n,) int8
        0 train, 1 validation, 2 test, -1 in none of them.
    attributes : dict of str to (n,) int8
        Binary attributes: 1 present, 0 absent, -1 unknown (left out of the task).
    labels : dict of str to (n,) int64
        Multi-class targets such as ``label`` or ``identity``; -1 unknown.
    class_names : dict of str to tuple of str, optional
        Names of the classes of a label; by default their numbers.
    metadata : dict of str to (n,) array, optional
        Anything else that is known of an image (style, file name, pose, ...), for figures.
    warnings : sequence of str, optional
        Sentences for the user, for example which files could not be read.
    default : str, optional
        Target of :meth:`task` without a name; by default the first.
    recognized : str, optional
        How the files were read, for example "splits train, test, each with a folder for each
        class".
    skipped : dict of str to sequence of str, optional
        Files that are left out, by reason.
    value_range : (float, float), optional
        Of images with more than 8 bits: the values that are black and white in ``images``.
    drawn_split : bool, optional
        The split does not come with the data, but was drawn when they were read.

    Examples
    --------
    >>> images = np.zeros((6, 8, 8, 1), dtype=np.uint8)
    >>> dataset = Dataset(
    ...     "toy", images, np.array([0, 0, 1, 1, 2, 2]), {"round": np.array([0, 1, 0, 1, 0, 1])}
    ... )
    >>> len(dataset), dataset.targets, dataset.task("round").class_names
    (6, ('round',), ('not round', 'round'))
    """

    name: str
    images: np.ndarray
    split: np.ndarray
    attributes: Mapping[str, np.ndarray] = field(default_factory=dict)
    labels: Mapping[str, np.ndarray] = field(default_factory=dict)
    class_names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    metadata: Mapping[str, np.ndarray] = field(default_factory=dict)
    warnings: Sequence[str] = ()
    default: str = ""
    recognized: str = ""
    skipped: Mapping[str, Sequence[str]] = field(default_factory=dict)
    value_range: tuple[float, float] | None = None
    drawn_split: bool = False

    def __len__(self) -> int:
        return len(self.images)

    @property
    def targets(self) -> tuple[str, ...]:
        """Names that :meth:`task` accepts, the default one first."""
        names = (*self.attributes, *self.labels)
        return tuple(sorted(names, key=lambda name: name != self.default))

    def values_of(self, target: str) -> tuple[np.ndarray, tuple[str, ...]]:
        """Values (n,) of an attribute or label, and the names of its classes.

        Raises
        ------
        InputError
            The data set has no such attribute or label.
        """
        if target in self.attributes:
            return np.asarray(self.attributes[target]), (f"not {target}", target)
        if target not in self.labels:
            raise InputError(
                f"{self.name} has no attribute or label named {quoted(target)}; "
                f"choose one of: {some(self.targets)}."
            )
        values = np.asarray(self.labels[target])
        numbers = map(str, range(int(values.max(initial=-1)) + 1))
        return values, tuple(map(str, self.class_names.get(target, numbers)))

    def task(self, target: str | None = None) -> Task:
        """One target of this data set as a task; images of unknown label are left out.

        Parameters
        ----------
        target : str, optional
            One of :attr:`targets`; by default the first.

        Returns
        -------
        Task

        Raises
        ------
        InputError
            The target is unknown, or a class has no training image.
        """
        target = self.targets[0] if target is None else target
        values, names = self.values_of(target)
        rows = [np.flatnonzero((self.split == s) & (values != UNKNOWN)) for s in range(3)]
        return Task(
            f"{self.name}/{target}", self.images, values.astype(np.int64), names, *rows
        ).checked()


@dataclass(frozen=True)
class Task:
    """One target of a data set: what a method is trained and evaluated on.

    Parameters
    ----------
    name : str
        Name of the data set and of the target.
    images : (n, height, width, channels) uint8
    labels : (n,) int64
        Classes of all images. Only the rows in ``train``, ``validation`` and ``test`` are used.
    class_names : tuple of str
        Names of the C classes.
    train, validation, test : arrays of int64
        Indices into ``images`` and ``labels``.
    subpopulations : tuple of ((n,) int64, names), optional
        Of merged classes: the classes before they were merged.

    Examples
    --------
    >>> from clmle.data import load_digits
    >>> task = load_digits(ratio=5).task("label")
    >>> task.n_classes, len(task.rows("test")), int(task.class_counts().max())
    (10, 602, 89)
    """

    name: str
    images: np.ndarray
    labels: np.ndarray
    class_names: tuple[str, ...]
    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    subpopulations: tuple[np.ndarray, tuple[str, ...]] | None = field(default=None, kw_only=True)

    @property
    def n_classes(self) -> int:
        """Number of classes C."""
        return len(self.class_names)

    def rows(self, split: str) -> np.ndarray:
        """Indices of the images of ``split`` ("train", "validation" or "test")."""
        return {"train": self.train, "validation": self.validation, "test": self.test}[split]

    def class_counts(self, split: str = "train") -> np.ndarray:
        """Number of images of each class in ``split``, (C,) int64."""
        return np.bincount(self.labels[self.rows(split)], minlength=self.n_classes)

    def with_train(self, train: np.ndarray) -> Task:
        """The same task with other training indices; validation and test are unchanged."""
        return replace(self, train=np.asarray(train, dtype=np.int64)).checked()

    def checked(self) -> Task:
        """Return the task itself if its labels and splits can be used.

        Raises
        ------
        InputError
            A split is empty, there is a single class, or a class has no training image.
        """
        check_splits(self.name, (self.train, self.validation, self.test))
        if self.n_classes < 2:
            raise InputError(f"{self.name} has a single class; two or more are needed to train.")
        counts = self.class_counts("train")
        if (counts == 0).any():
            empty = self.class_names[int(np.argmin(counts))]
            raise InputError(
                f"Class {empty!r} of {self.name} has no training image; "
                "choose another target or add images of that class."
            )
        return self


def check_splits(name: str, indices: Sequence[np.ndarray]) -> None:
    """Raise an InputError that names an empty split."""
    for split, rows in zip(SPLITS, indices, strict=True):
        if len(rows) == 0:
            raise InputError(f"{name} has no labeled image in its {split} split.")


def describe(dataset: Dataset) -> list[dict[str, Any]]:
    """Count the images of every attribute value and class in every split."""
    rows = []
    for target in dataset.targets:
        values, names = dataset.values_of(target)
        classes = list(enumerate(names))
        if target in dataset.attributes:
            classes = [*reversed(classes), (UNKNOWN, f"{target} unknown")]
        # One bincount for all values, since identities are many; UNKNOWN is -1: shifted by 1.
        counts = {
            split: np.bincount(values[dataset.split == number].astype(np.int64) + 1)
            for number, split in enumerate(SPLITS)
        }
        for value, name in classes:
            row: dict[str, Any] = {"target": target, "class": name, "value": int(value)}
            for split, found in counts.items():
                row[split] = int(found[value + 1]) if value + 1 < len(found) else 0
            rows.append(row)
    return rows
