"""Class-balanced sampling as a sampler of PyTorch's DataLoader, for one or several labels."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from clmle.checks import array_of, numeric, whole
from clmle.errors import InputError
from clmle.samplers.epochs import EpochSampler, part_of
from clmle.samplers.multilabel_weights import multilabel_weights


@dataclass(eq=False)
class ClassBalancedSampler(EpochSampler[int]):
    """Draws the samples of every class equally often, in one process or in several.

    A ``sampler`` of :class:`torch.utils.data.DataLoader`. For C classes, each C samples in a row
    hold every class once, in every process (except in a remainder at the end of the epoch), and a
    class repeats a sample only after all of its samples were drawn. For several labels of a sample,
    :func:`multilabel_weights` gives the expected number of draws of each sample in an epoch, which
    is rounded up or down.

    Parameters
    ----------
    labels : array of shape (n,) or (n, L)
        The class of each sample, any values; or 1 and 0 for several labels of each sample, -1 or
        NaN where a label is unknown.
    num_samples : int, optional
        Samples of all processes in an epoch; n by default.
    positive_rate, max_repeats
        For several labels: the wanted rate of positive samples and the limit of a sample's weight,
        as in :func:`multilabel_weights`.
    seed : int
        Seed of the order, the same in all processes.
    num_replicas, rank : int, optional
        Number of processes and the number of this one; by default those of ``torch.distributed``.
    drop_last : bool
        Where the samples cannot be divided evenly: leave out the last ones if true, else repeat the
        first ones, as PyTorch's DistributedSampler does.

    References
    ----------
    L. Shen, Z. Lin, Q. Huang, *Relay backpropagation for effective learning of deep convolutional
    neural networks*, ECCV 2016: class-aware sampling.

    Examples
    --------
    >>> from torch.utils.data import DataLoader
    >>> labels = np.array([0] * 90 + [1] * 10)
    >>> sampler = ClassBalancedSampler(labels, seed=0)
    >>> loader = DataLoader(list(labels), batch_size=20, sampler=sampler)
    >>> [batch.bincount().tolist() for batch in loader]
    [[10, 10], [10, 10], [10, 10], [10, 10], [10, 10]]
    >>> several = np.stack([labels, 1 - labels * (np.arange(100) % 2)], axis=1)
    >>> ClassBalancedSampler(several, positive_rate=0.5).class_proportions.round(2).tolist()
    [0.5, 0.5]
    """

    labels: np.ndarray
    num_samples: int | None = None
    positive_rate: float | None = None
    max_repeats: float = 10.0

    def __post_init__(self) -> None:
        super().__post_init__()
        labels = self.labels = array_of(self.labels, "labels")
        if labels.ndim not in (1, 2) or not labels.size:
            raise InputError(
                f"labels must be (n,) classes or (n, L) labels, at least one, not {labels.shape}."
            )
        if labels.ndim == 1 and (labels != labels).any():
            raise InputError("labels contain NaN; leave samples of unknown class out.")
        if labels.ndim == 1 and self.positive_rate is not None:
            raise InputError("positive_rate is for labels (n, L); leave it out for one class each.")
        if self.num_samples is not None:
            whole(self.num_samples, "num_samples", 1)
        if labels.ndim == 2:
            self.weights = multilabel_weights(labels, self.positive_rate, self.max_repeats)

    @cached_property
    def _members(self) -> list[np.ndarray]:
        """The samples of each class."""
        _, inverse, counts = np.unique(self.labels, return_inverse=True, return_counts=True)
        return np.split(np.argsort(inverse, kind="stable"), np.cumsum(counts)[:-1])

    @property
    def class_proportions(self) -> np.ndarray:
        """Expected fraction of samples of each class, (C,), or with each label, (L,)."""
        if self.labels.ndim == 1:
            return np.full(len(self._members), 1 / len(self._members))
        y = numeric(self.labels, "labels")
        known = np.isin(y, (0, 1))
        positive: np.ndarray = (self.weights @ (y == 1)) / np.maximum(self.weights @ known, 1e-300)
        return positive

    def epoch_length(self) -> int:
        """Samples of all processes in an epoch."""
        return self.num_samples or len(self.labels)

    def items(self, start: int) -> Iterator[int]:
        """The samples of this process in the present epoch, from number ``start`` on."""
        block = len(self._members) if self.labels.ndim == 1 else 1
        yield from part_of(self.order(), *self.process(), self.drop_last, block)[start:].tolist()

    def order(self) -> np.ndarray:
        """The order of the present epoch over all processes, (num_samples,)."""
        generator = np.random.default_rng([self.seed, self.epoch])
        n = self.epoch_length()
        if self.labels.ndim == 2:
            # Systematic sampling: numbers within 1 of their expected values.
            places = (generator.random() + np.arange(n)) / n
            drawn = np.searchsorted(np.cumsum(self.weights), places, side="right")
            last = len(self.weights) - 1
            return np.asarray(generator.permutation(drawn.clip(max=last)))
        order = np.empty(n, dtype=np.int64)
        members = self._members
        classes = _shuffled_rounds(np.arange(len(members)), n, generator)
        sizes = np.bincount(classes, minlength=len(members))
        of_class = np.split(np.argsort(classes, kind="stable"), np.cumsum(sizes)[:-1])
        for own, at in zip(members, of_class, strict=True):
            order[at] = _shuffled_rounds(own, len(at), generator)
        return order


def _shuffled_rounds(values: np.ndarray, n: int, generator: np.random.Generator) -> np.ndarray:
    """``n`` entries of rounds that each hold all ``values`` once, in another order."""
    rounds = np.tile(values, (-(-n // len(values)), 1))
    return generator.permuted(rounds, axis=1).ravel()[:n]
