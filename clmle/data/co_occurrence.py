"""Correlation of binary attributes over images."""

from collections.abc import Mapping

import numpy as np


def co_occurrence(attributes: Mapping[str, np.ndarray]) -> np.ndarray:
    """Compute the phi coefficient (Pearson correlation of binary labels) of all attribute pairs."""
    values = np.stack([np.asarray(v) for v in attributes.values()], axis=1)
    known = (values >= 0).astype(np.float64)
    shown = (values == 1).astype(np.float64)
    n, both = known.T @ known, shown.T @ shown
    first, second = shown.T @ known, known.T @ shown
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.sqrt(first * (n - first) * second * (n - second))
        return np.where(spread > 0, (n * both - first * second) / spread, np.nan)
