"""Accuracy against how many training images an identity (or class) has: head, middle, tail."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from clmle.checks import array_of, numeric
from clmle.errors import InputError
from clmle.metrics.intervals import fraction_over_identities, wilson


def accuracy_by_frequency(
    counts: Any,
    labels: Any,
    right: Any,
    *,
    ends: Sequence[int] | None = None,
    names: Sequence[str] = ("tail", "middle", "head"),
    n_bootstrap: int = 1000,
    seed: int = 0,
) -> list[dict[str, Any]]:
    """Share of images judged rightly, by bins of their identity's training images.

    Parameters
    ----------
    counts : (C,) training images of every identity
    labels : (n,) identity of every tested image, whole numbers in [0, C)
    right : (n,) bool, judged rightly
    ends : the first count of every bin after the first, growing, one fewer than ``names``
        By default so that the bins hold about equally many of the identities tested.

    Returns
    -------
    list of dict
        For each bin that holds an image: name, low and high (training images), identities, n,
        share, mean_over_identities, interval (Wilson), people_interval.

    Raises
    ------
    InputError
        Shapes that differ, labels outside of [0, C), ends that do not grow.

    Examples
    --------
    >>> rows = accuracy_by_frequency([100, 5], [0, 0, 1], [True, True, False], ends=[20],
    ...                              names=["few", "many"])
    >>> [(row["name"], row["share"]) for row in rows]
    [('few', 0.0), ('many', 1.0)]
    """
    c, y, hits = numeric(counts, "counts"), array_of(labels, "labels"), numeric(right, "right")
    if c.ndim != 1 or y.ndim != 1 or y.shape != hits.shape or not len(y):
        raise InputError(
            f"counts must be (C,) and labels and right (n,), at least one, but are {c.shape}, "
            f"{y.shape} and {hits.shape}."
        )
    if y.dtype.kind not in "iu" or y.min() < 0 or y.max() >= len(c):
        raise InputError(f"labels must be whole numbers from 0 to {len(c) - 1}.")
    if not np.isfinite(c).all():
        raise InputError("counts must be finite, the number of training images of every class.")
    if not np.isin(hits, (0, 1)).all():
        raise InputError("right must be true or false (1 or 0) for each image.")
    tested = np.unique(y)
    if ends is None:
        thirds = np.arange(1, len(names)) / len(names)
        ends = np.unique(np.quantile(c[tested], thirds, method="higher")).tolist()
        names = [*names[: len(ends)], names[-1]]
    if len(ends) != len(names) - 1 or (np.diff(ends) <= 0).any():
        raise InputError(f"ends must grow and be one fewer than the {len(names)} names.")
    group = np.searchsorted(ends, c, "right")
    rows = []
    for b, name in enumerate(names):
        mine = group[y] == b
        if not mine.any():
            continue
        own = np.unique(y[mine])
        means = np.bincount(y[mine], weights=hits[mine], minlength=len(c))[own]
        rows.append({
            "name": name, "low": int(c[own].min()), "high": int(c[own].max()),
            "identities": len(own), "n": int(mine.sum()), "share": float(hits[mine].mean()),
            "mean_over_identities": float(
                (means / np.bincount(y[mine], minlength=len(c))[own]).mean()),
            "interval": wilson(int(hits[mine].sum()), int(mine.sum())),
            "people_interval": fraction_over_identities(
                hits[mine], y[mine], n_bootstrap=n_bootstrap, seed=seed),
        })  # fmt: skip
    return rows
