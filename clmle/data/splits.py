"""Validation images taken from the training images, without an identity in both."""

import numpy as np

from clmle.data.base import TRAIN, VALIDATION


def hold_out(split: np.ndarray, identity: np.ndarray, fraction: float, seed: int) -> None:
    """Move whole identities (n,) of the training images to the validation images of ``split``.

    These are at most ``fraction`` of the training images, but at least one identity.
    """
    train = np.flatnonzero(split == TRAIN)
    identity = identity[train]
    rng = np.random.default_rng([seed, len(train)])
    names, sizes = np.unique(identity, return_counts=True)
    order = rng.permutation(len(names))
    wanted = max(1, round(len(identity) * fraction))
    n_chosen = max(1, int(np.searchsorted(np.cumsum(sizes[order]), wanted, side="right")))
    split[train[np.isin(identity, names[order[:n_chosen]])]] = VALIDATION
