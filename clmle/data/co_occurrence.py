"""Correlation of binary attributes over images."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np


def co_occurrence(attributes: Mapping[str, np.ndarray]) -> np.ndarray:
    """Compute the phi coefficient (Pearson correlation of binary labels) of all attribute pairs.

    Parameters
    ----------
    attributes : dict of str to (n,) int
        1 present, 0 absent, -1 unknown. A pair is computed over the images where both are known.

    Returns
    -------
    (A, A) float64
        In [-1, 1]; NaN where an attribute is constant.

    Examples
    --------
    >>> a, b = np.array([1, 1, 0, 0]), np.array([1, 1, 0, 1])
    >>> co_occurrence({"a": a, "b": b}).round(2).tolist()
    [[1.0, 0.58], [0.58, 1.0]]
    """
    values = np.stack([np.asarray(v) for v in attributes.values()], axis=1)
    known = (values >= 0).astype(np.float64)
    shown = (values == 1).astype(np.float64)
    n, both = known.T @ known, shown.T @ shown
    first, second = shown.T @ known, known.T @ shown
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.sqrt(first * (n - first) * second * (n - second))
        return np.where(spread > 0, (n * both - first * second) / spread, np.nan)
