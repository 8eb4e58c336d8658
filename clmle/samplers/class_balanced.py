"""Natural (instance-balanced) and class-balanced batches."""

import numpy as np

SAMPLINGS = ("natural", "class-balanced")


def sample_indices(
    sampling: str, labels: np.ndarray, size: int, step: int, seed: int
) -> np.ndarray:
    """Indices of batch ``step``, (size,), by one of ``SAMPLINGS``."""
    if sampling == "natural":
        return shuffled_indices(len(labels), size, step, seed)
    return balanced_indices(labels, size, np.random.default_rng([seed, step]))


def shuffled_indices(n: int, batch_size: int, step: int, seed: int) -> np.ndarray:
    """Indices of batch ``step`` of epochs that each shuffle all n samples, (batch_size,)."""
    positions = np.arange(step * batch_size, (step + 1) * batch_size)
    indices = np.empty(batch_size, dtype=np.int64)
    for epoch in np.unique(positions // n):
        order = np.random.default_rng([seed, int(epoch), n]).permutation(n)
        here = positions // n == epoch
        indices[here] = order[positions[here] % n]
    return indices


def balanced_indices(labels: np.ndarray, size: int, generator: np.random.Generator) -> np.ndarray:
    """Draw a batch in which the numbers of samples of two classes differ by at most 1.

    Parameters
    ----------
    labels : (n,) array
        Class of every sample.
    size : int
        Samples in the batch.
    generator : numpy.random.Generator

    Returns
    -------
    (size,) array
        Indices into ``labels``, drawn uniformly with replacement within each class.

    Examples
    --------
    >>> labels = np.array([0] * 90 + [1] * 10)
    >>> np.bincount(labels[balanced_indices(labels, 8, np.random.default_rng(0))]).tolist()
    [4, 4]
    """
    classes = np.unique(labels)
    drawn = np.resize(generator.permutation(classes), size)
    indices = np.empty(size, dtype=np.int64)
    for c in np.unique(drawn):  # a batch may hold few of many classes
        here = drawn == c
        indices[here] = generator.choice(np.flatnonzero(labels == c), int(here.sum()))
    return indices
