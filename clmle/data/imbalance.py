"""Subsample the training classes of a task to a chosen imbalance profile."""

from collections.abc import Sequence

import numpy as np

from clmle.data.base import Task
from clmle.data.long_tail import PUBLISHED, check_available, long_tail_counts, long_tail_indices
from clmle.errors import InputError

KINDS = ("exponential", "step", *PUBLISHED, "given")


def imbalanced_counts(
    available: Sequence[int] | np.ndarray,
    kind: str = "exponential",
    ratio: float = 10.0,
    *,
    counts: Sequence[int] | None = None,
    minority_fraction: float = 0.5,
) -> np.ndarray:
    """Compute how many images of each class to keep."""
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
    if kind in PUBLISHED:
        published = long_tail_counts(int(have.max()), len(have), ratio, kind)
        check_available(published, have, kind)
        return published
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
    """Subsample the training images of a task; validation and test images are unchanged."""
    if kind in PUBLISHED:
        labels = task.labels[task.train]
        return task.with_train(np.sort(task.train[long_tail_indices(labels, ratio, kind, seed)]))
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
