"""How batches are drawn: as the data come, or evenly over classes."""

from __future__ import annotations

import numpy as np

SAMPLINGS = ("natural", "even")


def sample_indices(
    sampling: str, labels: np.ndarray, size: int, step: int, seed: int
) -> np.ndarray:
    """Rows of batch ``step``, (size,): "natural" epochs, or every class "even"."""
    if sampling == "natural":
        return shuffled_indices(len(labels), size, step, seed)
    return balanced_indices(labels, size, np.random.default_rng([seed, step]))


def balanced_proportions(counts: np.ndarray) -> np.ndarray:
    """The same share for every class that has images, (C,)."""
    shares: np.ndarray = (counts > 0) / (counts > 0).sum()
    return shares


def shuffled_indices(n: int, batch_size: int, step: int, seed: int) -> np.ndarray:
    """Batch number ``step`` of epochs that are each a shuffle of all n rows."""
    positions = np.arange(step * batch_size, (step + 1) * batch_size)
    rows = np.empty(batch_size, dtype=np.int64)
    for epoch in np.unique(positions // n):
        order = np.random.default_rng([seed, int(epoch), n]).permutation(n)
        here = positions // n == epoch
        rows[here] = order[positions[here] % n]
    return rows


def balanced_indices(labels: np.ndarray, size: int, generator: np.random.Generator) -> np.ndarray:
    """``size`` rows with classes drawn as evenly as can be, rows of a class uniformly."""
    classes = np.unique(labels)
    drawn = np.resize(generator.permutation(classes), size)
    rows = np.empty(size, dtype=np.int64)
    for c in np.unique(drawn):  # of many classes a batch holds few
        here = drawn == c
        rows[here] = generator.choice(np.flatnonzero(labels == c), int(here.sum()))
    return rows
