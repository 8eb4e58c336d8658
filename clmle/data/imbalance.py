"""Subsample the training classes of a task to a chosen imbalance profile."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from clmle.data.base import Task
from clmle.errors import InputError

KINDS = ("exponential", "step", "given")


def imbalanced_counts(
    available: Sequence[int] | np.ndarray,
    kind: str = "exponential",
    ratio: float = 10.0,
    *,
    counts: Sequence[int] | None = None,
    minority_fraction: float = 0.5,
) -> np.ndarray:
    """Compute how many images of each class to keep.

    Parameters
    ----------
    available : (C,) int
        Images of each class, in the order from the largest class wanted to the smallest.
    kind : {"exponential", "step", "given"}
        "exponential": class i keeps ``n * ratio ** (-i / (C - 1))`` images; "step": the last
        ``minority_fraction`` of the classes keep ``n / ratio`` images, the others n; "given":
        ``counts``. n is the largest number for which every class has enough images, so that the
        ratio is met up to rounding. No class is left empty.
    ratio : float
        Size of the largest over that of the smallest class.
    counts : (C,) int, optional
        Images to keep, for "given".
    minority_fraction : float
        Fraction of the classes that "step" makes rare, above 0 and at most 1.

    Returns
    -------
    (C,) int64

    Raises
    ------
    InputError
        ``ratio`` is below 1, ``kind`` is unknown, or ``counts`` exceed the available images.

    Examples
    --------
    >>> imbalanced_counts([100, 100, 100], "exponential", 100.0).tolist()
    [100, 10, 1]
    >>> imbalanced_counts([100, 100, 100, 100], "step", 20.0).tolist()
    [100, 100, 5, 5]
    """
    have = np.asarray(available, dtype=np.int64)
    if kind not in KINDS:
        raise InputError(f"imbalance is {kind!r}; choose one of: {', '.join(KINDS)}.")
    if kind == "given":
        wanted = np.asarray(counts if counts is not None else [], dtype=np.int64)
        if wanted.shape != have.shape or (wanted < 1).any() or (wanted > have).any():
            raise InputError(
                f"counts must name 1 to {have.tolist()} images for the {len(have)} classes, "
                f"but are {wanted.tolist()}."
            )
        return wanted
    if not (np.isfinite(ratio) and ratio >= 1):
        raise InputError(f"ratio is {ratio}, but must be 1 or more: largest over smallest class.")
    if not 0 < minority_fraction <= 1:
        raise InputError(
            f"minority_fraction is {minority_fraction}, but must be above 0 and at most 1."
        )
    n = len(have)
    if kind == "exponential":
        profile = ratio ** (-np.arange(n) / max(1, n - 1))
    else:
        n_minority = min(n - 1, max(1, round(n * minority_fraction)))
        profile = np.where(np.arange(n) >= n - n_minority, 1 / ratio, 1.0)
    largest = (have / profile).min()
    left: np.ndarray = np.clip(np.round(largest * profile).astype(np.int64), 1, have)
    return left


def imbalance(
    task: Task,
    kind: str = "exponential",
    ratio: float = 10.0,
    *,
    counts: Sequence[int] | None = None,
    order: Sequence[int] | None = None,
    seed: int = 0,
) -> Task:
    """Subsample the training images of a task; validation and test images are unchanged.

    Parameters
    ----------
    task : Task
    kind, ratio, counts
        As for :func:`imbalanced_counts`; ``counts`` are in the order of the task's classes.
    order : sequence of int, optional
        Classes from the largest wanted to the smallest; by default by their number of images.
    seed : int
        Seed of the draw. With the same seed, a higher ratio keeps a subset of the images of every
        class whose count decreases.

    Returns
    -------
    Task

    Raises
    ------
    InputError
        As for :func:`imbalanced_counts`, or ``order`` does not list every class once.

    Examples
    --------
    >>> from clmle.data import load_digits
    >>> task = load_digits(ratio=1).task("label")
    >>> imbalance(task, "exponential", 20, order=range(10)).class_counts().tolist()
    [89, 64, 46, 33, 24, 17, 12, 9, 6, 4]
    """
    available = task.class_counts("train")
    ranked = np.argsort(-available, kind="stable") if order is None else np.asarray(order)
    if sorted(ranked.tolist()) != list(range(task.n_classes)):
        raise InputError(
            f"order must list each of the {task.n_classes} classes once, not {ranked.tolist()}."
        )
    given = None if counts is None else [counts[c] for c in ranked]
    keep = imbalanced_counts(available[ranked], kind, ratio, counts=given)
    labels = task.labels[task.train]
    rows = []
    for c, count in zip(ranked, keep, strict=True):
        members = task.train[labels == c]
        rows.append(np.random.default_rng([seed, int(c)]).permutation(members)[:count])
    return task.with_train(np.sort(np.concatenate(rows)))
