"""Accuracy by the number of training images of a class or identity: tail, middle, head."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from clmle.checks import array_of, numeric
from clmle.errors import InputError
from clmle.metrics.intervals import proportion


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
    """Accuracy in bins of identities by their number of training images.

    Parameters
    ----------
    counts : array of shape (C,)
        Training images of every identity.
    labels : integer array of shape (n,)
        Identity of every test image, in [0, C).
    right : boolean array of shape (n,)
        Whether the prediction of each test image is correct.
    ends : sequence of int, optional
        The smallest count of every bin except the first, increasing, one fewer than ``names``. By
        default the bins have about equally many test identities.
    names : sequence of str
        Names of the bins by increasing counts.
    n_bootstrap, seed : int
        Bootstrap samples over identities, and their seed.

    Returns
    -------
    list of dict
        For each bin with a test image: ``name``, ``low`` and ``high`` (smallest and largest
        count), ``identities``, ``n``, ``accuracy``, ``mean_over_identities``, ``interval``
        (Wilson) and ``identity_interval`` (bootstrap over whole identities).

    References
    ----------
    Z. Liu et al., *Large-scale long-tailed recognition in an open world*, CVPR 2019: accuracy of
    many-shot, medium-shot and few-shot classes.

    Examples
    --------
    >>> rows = accuracy_by_frequency([100, 5], [0, 0, 1], [True, True, False], ends=[20],
    ...                              names=["tail", "head"])
    >>> [(row["name"], row["accuracy"]) for row in rows]
    [('tail', 0.0), ('head', 1.0)]
    """
    c, y, hits = numeric(counts, "counts"), array_of(labels, "labels"), numeric(right, "right")
    if c.ndim != 1 or y.ndim != 1 or y.shape != hits.shape or not len(y):
        raise InputError(
            f"counts must be (C,) and labels and right (n,), at least one, but are {c.shape}, "
            f"{y.shape} and {hits.shape}."
        )
    if y.dtype.kind not in "iu" or y.min() < 0 or y.max() >= len(c):
        raise InputError(f"labels must be integers from 0 to {len(c) - 1}.")
    if not np.isfinite(c).all():
        raise InputError("counts must be finite, the number of training images of every class.")
    if not np.isin(hits, (0, 1)).all():
        raise InputError("right must be true or false (1 or 0) for each image.")
    if ends is None:
        parts = np.arange(1, len(names)) / len(names)
        ends = np.unique(np.quantile(c[np.unique(y)], parts, method="higher")).tolist()
        names = [*names[: len(ends)], names[-1]]
    if len(ends) != len(names) - 1 or (np.diff(ends) <= 0).any():
        raise InputError(f"ends must increase and be one fewer than the {len(names)} names.")
    group = np.searchsorted(ends, c, "right")
    rows = []
    for b, name in enumerate(names):
        inside = group[y] == b
        if not inside.any():
            continue
        tested, index, n = np.unique(y[inside], return_inverse=True, return_counts=True)
        means = np.bincount(index, weights=hits[inside]) / n
        rows.append({
            "name": name, "low": int(c[tested].min()), "high": int(c[tested].max()),
            "identities": len(tested), "mean_over_identities": float(means.mean()),
            **proportion(hits[inside], y[inside], name="accuracy", n_bootstrap=n_bootstrap,
                         seed=seed),
        })  # fmt: skip
    return rows


def shot_accuracy(counts: Any, recall: Sequence[float | None]) -> dict[str, dict[str, Any]]:
    """Accuracy of the classes with many, a medium number of, and few training images.

    Parameters
    ----------
    counts : array of shape (C,)
        Training images of every class.
    recall : sequence of C numbers
        Recall of every class, None for a class without test images.

    Returns
    -------
    dict
        ``many`` (over 100 training images), ``medium`` (20 to 100) and ``few`` (below 20), each
        with ``classes``, the number of classes with test images, and ``accuracy``, the mean of
        their recalls (None without such classes).

    References
    ----------
    Z. Liu et al., *Large-scale long-tailed recognition in an open world*, CVPR 2019.

    Examples
    --------
    >>> shot_accuracy([500, 100, 20, 3], [0.9, 0.5, 0.7, None])["medium"]
    {'classes': 2, 'accuracy': 0.6}
    """
    n = numeric(counts, "counts")
    if n.shape != (len(recall),):
        raise InputError(f"counts must be ({len(recall)},), one of each recall, not {n.shape}.")
    values = np.array([np.nan if value is None else value for value in recall], dtype=np.float64)
    groups = {"many": n > 100, "medium": (n >= 20) & (n <= 100), "few": n < 20}
    found = {name: values[inside & ~np.isnan(values)] for name, inside in groups.items()}
    return {
        name: {"classes": len(v), "accuracy": float(v.mean()) if len(v) else None}
        for name, v in found.items()
    }
