"""Validation images taken from the training images, without an identity in both."""

from __future__ import annotations

import numpy as np


def whole_identities(identity: np.ndarray, fraction: float, rng: np.random.Generator) -> np.ndarray:
    """Choose whole identities for validation, (n,) bool, from the identity (n,) of every image.

    The chosen images are at most ``fraction`` of all, but at least one identity.
    """
    names, sizes = np.unique(identity, return_counts=True)
    order = rng.permutation(len(names))
    wanted = max(1, round(len(identity) * fraction))
    n_chosen = max(1, int(np.searchsorted(np.cumsum(sizes[order]), wanted, side="right")))
    return np.isin(identity, names[order[:n_chosen]])
