"""Epochs of a sampler: one order from one seed, divided among processes, resumed in the middle."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
import torch.distributed as dist
from torch.utils.data import Sampler

from clmle.checks import seed_number, whole
from clmle.errors import InputError

T = TypeVar("T", int, list[int])


@dataclass(eq=False, kw_only=True)
class EpochSampler(Sampler[T], Generic[T]):
    """Base of the samplers of :class:`torch.utils.data.DataLoader`.

    An epoch has one order, which depends on ``seed`` and ``epoch`` alone. Each process yields its
    part; the parts are disjoint, of equal length, and together they are the order. The epoch ends
    with the iteration, and the next one has another order; :meth:`set_epoch` chooses one, as for
    PyTorch's DistributedSampler.

    Parameters
    ----------
    seed : int
        Seed of the order, the same in all processes.
    num_replicas, rank : int, optional
        Number of processes and the number of this one; by default those of ``torch.distributed``.
    drop_last : bool
        Where the order cannot be divided evenly: leave out its last entries if true, else repeat
        its first ones, as PyTorch's DistributedSampler does.
    """

    seed: int = 0
    num_replicas: int | None = None
    rank: int | None = None
    drop_last: bool = False

    epoch = 0
    _start = 0  # where the next iteration starts, after load_state_dict
    _yielded = 0

    def __post_init__(self) -> None:
        seed_number(self.seed)
        self.process()

    def process(self) -> tuple[int, int]:
        """Rank of this process, and the number of processes."""
        known = dist.is_available() and dist.is_initialized()
        size = self.num_replicas
        if size is None:
            size = dist.get_world_size() if known else 1
        rank = self.rank
        if rank is None:
            rank = dist.get_rank() if known else 0
        if not 0 <= whole(rank, "rank", 0) < whole(size, "num_replicas", 1):
            raise InputError(
                f"rank is {rank}, but must be below num_replicas ({size}), the number of processes."
            )
        return rank, size

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch of the next iteration; the position of a loaded state stays."""
        if whole(epoch, "epoch", 0) != self.epoch:
            self.epoch, self._start, self._yielded = epoch, 0, 0

    def state_dict(self) -> dict[str, int]:
        """Epoch, and the number of items that this process has yielded in it."""
        return {"epoch": self.epoch, "yielded": self._yielded}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from a :meth:`state_dict` with the next iteration."""
        epoch, yielded = (whole(state.get(name), name, 0) for name in ("epoch", "yielded"))
        self.epoch, self._start, self._yielded = epoch, yielded, yielded

    def __len__(self) -> int:
        """Items of this process in an epoch."""
        n, size = self.epoch_length(), self.process()[1]
        return n // size if self.drop_last else -(-n // size)

    def __iter__(self) -> Iterator[T]:
        start, self._start = self._start, 0
        for number, item in enumerate(self.items(start), start):
            self._yielded = number + 1
            yield item
        self.epoch, self._yielded = self.epoch + 1, 0

    def epoch_length(self) -> int:
        """Items of all processes in an epoch, before the ends are made even."""
        raise NotImplementedError

    def items(self, start: int) -> Iterator[T]:
        """The items of this process in the present epoch, from number ``start`` on."""
        raise NotImplementedError


@dataclass(eq=False, kw_only=True)
class EpochBatches(EpochSampler[list[int]]):
    """Base of the batch samplers: batch ``i`` of an epoch has its own random generator.

    Process ``rank`` draws every ``num_replicas``-th batch, so that the batches of a step are
    consecutive ones of the order.

    Parameters
    ----------
    n_batches : int, optional
        Batches of all processes in an epoch; by default as many as hold the training set once.
    seed, num_replicas, rank, drop_last
        As in :class:`EpochSampler`.
    """

    n_batches: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.n_batches is not None:
            whole(self.n_batches, "n_batches", 1)

    def epoch_length(self) -> int:
        """Batches of all processes in an epoch."""
        return self.n_batches or self.batches_of_one_pass()

    def items(self, start: int) -> Iterator[list[int]]:
        """The batches of this process, each drawn from the index as it is at that time."""
        rank, size = self.process()
        n, epoch = self.epoch_length(), self.epoch
        for k in range(start, len(self)):
            number = (k * size + rank) % n
            yield self.draw_indices(np.random.default_rng([self.seed, epoch, number])).tolist()

    def batches_of_one_pass(self) -> int:
        """Batches that together have as many samples as the training set."""
        raise NotImplementedError

    def draw_indices(self, generator: np.random.Generator) -> np.ndarray:
        """Training samples of one batch, (B,)."""
        raise NotImplementedError


def part_of(
    order: np.ndarray, rank: int, size: int, drop_last: bool = False, block: int = 1
) -> np.ndarray:
    """The part of process ``rank`` of an order that ``size`` processes divide.

    Blocks of ``block`` entries go to the processes in turn, then the entries of the remainder. The
    order is cut to a multiple of ``size``, or filled up from its beginning.
    """
    each = len(order) // size if drop_last else -(-len(order) // size)
    even = np.resize(order, each * size)  # repeats the order from its beginning
    head = len(even) // (size * block) * size * block
    blocks = even[:head].reshape(-1, size, block)[:, rank]
    return np.concatenate([blocks.ravel(), even[head + rank :: size]])
