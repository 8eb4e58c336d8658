"""Long-tailed and step training sets in the form of CIFAR-10-LT and CIFAR-100-LT."""

import hashlib
from typing import Any

import numpy as np

from clmle.errors import InputError

PUBLISHED = ("long-tail", "long-tail-step")


def long_tail_counts(
    largest: int, n_classes: int, ratio: float, kind: str = "long-tail"
) -> np.ndarray:
    """Images of each class in the published long tails, in the order of the classes.

    Parameters
    ----------
    largest : int
        Images n of the largest class, all there are (5,000 in CIFAR-10, 500 in CIFAR-100).
    n_classes : int
        Number of classes C.
    ratio : float
        Imbalance ratio r, largest over smallest class; at least 1.
    kind : {"long-tail", "long-tail-step"}
        ``int(n r^(-i / (C - 1)))`` images of class i, or n of the first C // 2 classes and
        ``int(n / r)`` of the others.

    Returns
    -------
    array of shape (C,), int64

    Raises
    ------
    InputError
        The ratio is below 1, or so large that the smallest class has no image.

    References
    ----------
    Y. Cui et al., *Class-balanced loss based on effective number of samples*, CVPR 2019;
    K. Cao et al., *Learning imbalanced datasets with label-distribution-aware margin loss*,
    NeurIPS 2019.

    Examples
    --------
    >>> long_tail_counts(5000, 10, 100).tolist()
    [5000, 2997, 1796, 1077, 645, 387, 232, 139, 83, 50]
    """
    if kind not in PUBLISHED:
        raise InputError(f"kind is {kind!r}; choose one of: {', '.join(PUBLISHED)}.")
    if not (np.isfinite(ratio) and ratio >= 1):
        raise InputError(f"ratio is {ratio}, but must be 1 or more: largest over smallest class.")
    factor = 1 / ratio  # the published code takes the factor, 0.01 for a ratio of 100
    if kind == "long-tail":
        powers = [i / max(1, n_classes - 1) for i in range(n_classes)]
    else:
        powers = [float(i >= n_classes // 2) for i in range(n_classes)]
    counts = np.array([int(largest * factor**power) for power in powers], dtype=np.int64)
    if counts.min() < 1:
        raise InputError(
            f"With a ratio of {ratio:g} the smallest class would have no image, as the largest has "
            f"{largest:,}; choose a ratio of at most {largest:,}."
        )
    return counts


def long_tail_indices(
    labels: Any, ratio: float, kind: str = "long-tail", seed: int = 0
) -> np.ndarray:
    """Indices of a long-tailed training set, drawn as by the published code.

    One ``numpy.random.RandomState(seed)`` shuffles the indices of each class, in the order of the
    classes, and the first of each are taken.

    Parameters
    ----------
    labels : integer array of shape (n,)
        Classes in [0, C) of all training images, in the published order of the images.
    ratio, kind
        As in :func:`long_tail_counts`, with the size of the largest class.
    seed : int
        0 in the published sets.

    Returns
    -------
    array of int64
        Class by class, in the order of the published code.

    Raises
    ------
    InputError
        As :func:`long_tail_counts`, or a class has fewer images than it should keep.

    Examples
    --------
    >>> labels = np.repeat([0, 1, 2], 100)
    >>> np.bincount(labels[long_tail_indices(labels, ratio=10)]).tolist()
    [100, 31, 10]
    """
    labels = np.asarray(labels)
    available = np.bincount(labels)
    counts = long_tail_counts(int(available.max()), len(available), ratio, kind)
    check_available(counts, available, kind)
    rng = np.random.RandomState(seed)
    parts = []
    for c, count in enumerate(counts):
        rows = np.flatnonzero(labels == c)
        rng.shuffle(rows)
        parts.append(rows[:count])
    return np.concatenate(parts)


def check_available(counts: np.ndarray, available: np.ndarray, kind: str) -> None:
    """Raise an InputError for the first class with fewer images than ``counts``."""
    short = np.flatnonzero(counts > available)
    if len(short):
        c = int(short[0])
        raise InputError(
            f"{kind} gives class number {c} {int(counts[c]):,} training images in the order of the "
            f"classes, but there are {int(available[c]):,}; use exponential or step, which order "
            "the classes by their size."
        )


def index_checksum(indices: Any) -> str:
    """SHA-256 of training indices in any order: of the sorted int64, little-endian.

    Parameters
    ----------
    indices : integer array of shape (n,)

    Returns
    -------
    str
        The first 16 hexadecimal digits.

    Examples
    --------
    >>> index_checksum([2, 0, 1]) == index_checksum([0, 1, 2])
    True
    """
    return hashlib.sha256(np.sort(indices).astype("<i8").tobytes()).hexdigest()[:16]
