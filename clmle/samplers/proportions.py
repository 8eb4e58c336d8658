"""Class proportions of a batch, and whole numbers of samples that follow them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


def class_proportions(
    counts: np.ndarray,
    power: float = 0.0,
    batch_size: int = 1,
    max_class_fraction: float | None = None,
) -> np.ndarray:
    """Proportions of the classes in a batch, in proportion to counts^power.

    Parameters
    ----------
    counts : (C,) array
        Training images of each class.
    power : float
        0 is class-balanced sampling, 1 natural (instance-balanced) sampling.
    batch_size : int
        Images in a batch; used with ``max_class_fraction`` only.
    max_class_fraction : float, optional
        Largest fraction of the images of a class in one batch. The other classes fill the rest of
        the batch in the same proportions. The limit is ignored where the classes together have
        too few images to fill a batch.

    Returns
    -------
    (C,) array
        They sum to 1; 0 for a class without images.

    Examples
    --------
    >>> class_proportions(np.array([900, 60, 12]), 0, 240, 1.0).round(3).tolist()
    [0.7, 0.25, 0.05]
    """
    counts = np.asarray(counts, dtype=np.float64)
    weight = np.where(counts > 0, np.maximum(counts, 1) ** power, 0.0)
    proportions: np.ndarray = weight / weight.sum()
    if max_class_fraction is None or max_class_fraction * counts.sum() <= batch_size:
        return proportions
    most = counts * max_class_fraction / batch_size
    full = np.zeros(len(counts), dtype=bool)
    while ((proportions > most) & ~full).any():
        full |= proportions > most
        free = np.where(full, 0.0, weight)
        proportions = np.where(full, most, free / free.sum() * (1 - most[full].sum()))
    return proportions


def apportion(proportions: np.ndarray, total: int, generator: np.random.Generator) -> np.ndarray:
    """Draw whole numbers in given proportions.

    Parameters
    ----------
    proportions : (C,) array
        They sum to 1.
    total : int
    generator : numpy.random.Generator

    Returns
    -------
    (C,) array
        Numbers that sum to ``total``, each within 1 of its expected value, its proportion of it.

    Examples
    --------
    >>> apportion(np.array([0.5, 0.25, 0.25]), 8, np.random.default_rng(0)).tolist()
    [4, 2, 2]
    """
    numbers = np.zeros(len(proportions), dtype=np.int64)
    classes, drawn = Apportionment.of(proportions, total).draw(generator)
    numbers[classes] = drawn
    return numbers


@dataclass(frozen=True)
class Apportionment:
    """The part of :func:`apportion` that is the same for every batch; there may be 10^6 classes."""

    certain: np.ndarray  # classes with at least one sample in every batch
    numbers: np.ndarray  # how many
    edges: np.ndarray  # cumulative sums of the fractional parts, (C,)
    rest: int  # samples that the fractional parts amount to

    @classmethod
    def of(cls, proportions: np.ndarray, total: int) -> Apportionment:
        """The apportionment of ``total`` samples by proportions (C,)."""
        exact = proportions * total
        whole = np.floor(exact).astype(np.int64)
        certain = np.flatnonzero(whole)
        rest = total - int(whole.sum())
        return cls(certain, whole[certain], np.cumsum(exact - whole), rest)

    def draw(self, generator: np.random.Generator) -> tuple[list[int], list[int]]:
        """Return classes in order, and the number of samples of each."""
        chosen = self.certain[:0]
        if self.rest:
            # Systematic sampling: each fractional part is rounded up with its own probability.
            at = generator.random() + np.arange(self.rest)
            last = len(self.edges) - 1
            chosen = np.searchsorted(self.edges, at, side="right").clip(max=last)
        classes = np.unique(np.concatenate([self.certain, chosen]))
        numbers = np.zeros(len(classes), dtype=np.int64)
        numbers[np.searchsorted(classes, self.certain)] = self.numbers
        np.add.at(numbers, np.searchsorted(classes, chosen), 1)
        return classes.tolist(), numbers.tolist()
