"""Which attributes are seen together more, or less, often than chance would have it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np


def co_occurrence(attributes: Mapping[str, np.ndarray]) -> np.ndarray:
    """Phi coefficient (Pearson's correlation of two binary labels) of every two attributes, (A, A).

    Parameters
    ----------
    attributes : name -> (n,) 1 shown, 0 not, -1 unknown
        A pair counts the images of which both are known; NaN where one of them does not vary.

    Examples
    --------
    >>> a, b = np.array([1, 1, 0, 0]), np.array([1, 1, 0, 1])
    >>> co_occurrence({"a": a, "b": b}).round(2).tolist()
    [[1.0, 0.58], [0.58, 1.0]]
    """
    values = np.stack([np.asarray(v) for v in attributes.values()], axis=1)
    known = (values >= 0).astype(np.float64)
    shown = (values == 1).astype(np.float64)
    # Counts over the images of which both are known.
    n, both = known.T @ known, shown.T @ shown
    first, second = shown.T @ known, known.T @ shown
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.sqrt(first * (n - first) * second * (n - second))
        return np.where(spread > 0, (n * both - first * second) / spread, np.nan)
