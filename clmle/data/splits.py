"""Validation images taken from training images, no identity in both."""

from __future__ import annotations

import numpy as np


def whole_identities(identity: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Which of the rows of ``identity`` (n,) to validate on, (n,) bool: whole identities.

    A face known from training would flatter the validation. As many of ``share`` of the rows as
    whole identities fill, at least one identity.
    """
    people, sizes = np.unique(identity, return_counts=True)
    order = rng.permutation(len(people))
    wanted = max(1, round(len(identity) * share))
    many = max(1, int(np.searchsorted(np.cumsum(sizes[order]), wanted, side="right")))
    return np.isin(identity, people[order[:many]])
