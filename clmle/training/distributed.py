"""One process that trains a run, or several that train it together: who they are, what they agree.

A :class:`World` is one process, for which there is nothing to agree on. A :class:`Group` is one of
several that ``torchrun`` has started. The engine talks to either in the same words:

* every process draws a share of each step's batch (:meth:`World.number`, :meth:`World.shard_method`);
* DistributedDataParallel means the gradients (:meth:`World.wrap_ddp`);
* clusters, cached losses and running statistics are made the same after it (:meth:`World.sync_state`);
* what is decided (scores, the best round, a stop, an error) is decided for all.

Tensors on a GPU travel by NCCL, all else by gloo; nothing is pickled.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar
from uuid import uuid4

import numpy as np
import torch
import torch.distributed as dist
from torch import nn

from clmle.config import TrainConfig
from clmle.distributed_index import DistributedIndex
from clmle.errors import InputError
from clmle.methods import Loss, Method
from clmle.methods.cluster_method import ClusterMethod
from clmle.methods.multi_label import MultiLabel
from clmle.training.extraction import pick_device
from clmle.training.reporting import Stopped

T = TypeVar("T")
Learner = Callable[[Callable[[], Loss]], Loss]
LONGEST_WAIT = timedelta(hours=2)  # one process may render a data set while the others wait


class World:
    """A single process."""

    rank = 0
    size = 1

    @property
    def is_main(self) -> bool:
        """Whether this process decides, and writes the run folder."""
        return self.rank == 0

    def device(self, name: str) -> torch.device:
        """The device that the setting ``name`` means here."""
        return pick_device(name)

    def number(self, step: int) -> int:
        """Number of this process's draw in ``step``: no other process or step has it."""
        return step * self.size + self.rank

    def shard_method(self, make: Callable[[TrainConfig], T], train: TrainConfig) -> T:
        """The method that ``make`` makes, which draws this process's share of a batch."""
        return make(train)

    def wrap_ddp(self, network: nn.Module, own: nn.Module) -> Learner:
        """What computes a loss so that its gradients are those of all processes, meaned."""
        return lambda work: work()

    def sync_state(self, method: Method | MultiLabel, network: nn.Module) -> None:
        """Make index and running statistics of all processes the same after their own work."""

    def shard(self, n: int, batch_size: int) -> tuple[slice, int]:
        """This process's part of ``n`` rows, in whole batches, and how many batches all make."""
        batches = -(-n // batch_size)
        each = -(-batches // self.size)
        first = min(n, self.rank * each * batch_size)
        return slice(first, min(n, first + each * batch_size)), each

    def gather_rows(self, part: np.ndarray, n: int, batch_size: int) -> np.ndarray:
        """The ``n`` rows of which every process holds its :meth:`portion`."""
        return part

    def broadcast_from_main(self, work: Callable[[], T]) -> T:
        """What ``work`` (values that JSON can hold) returns on the first process, for all."""
        return work()

    def any_process(self, asked: bool) -> bool:
        """Whether any process says so."""
        return asked

    def mean(self, values: Mapping[str, float]) -> dict[str, float]:
        """Means over the processes that have a value of that name."""
        return dict(values)

    @contextmanager
    def raise_together(self) -> Iterator[None]:
        """An InputError or a stop of one process inside is raised by all at its end."""
        yield

    def first_on_machine(self, work: Callable[[], T]) -> T:
        """``work`` done by one process of every machine, then by the others."""
        return work()

    @contextmanager
    def watched(self) -> Iterator[None]:
        """That another process has died inside is an InputError, in one sentence."""
        yield


class Group(World):
    """One of several processes; PyTorch's default process group is theirs."""

    def __init__(self) -> None:
        self.rank, self.size = dist.get_rank(), dist.get_world_size()
        self.local_rank = int(os.environ.get("LOCAL_RANK", self.rank))

    # --- who does what ------------------------------------------------------------------

    def device(self, name: str) -> torch.device:
        if name == "auto":
            name = "cuda" if torch.cuda.is_available() else "cpu"
        if name.startswith("cuda:"):
            raise InputError(
                f"device is {name}, but each of the {self.size} processes needs a GPU of its own; "
                "leave it at auto."
            )
        if name == "cuda" and torch.cuda.is_available():
            found = torch.cuda.device_count()
            if self.local_rank >= found:
                raise InputError(
                    f"More processes than the {found} GPUs of this machine were started; "
                    f"start torchrun with --nproc-per-node {found}, or train with --device cpu."
                )
            name = f"cuda:{self.local_rank}"
            torch.cuda.set_device(self.local_rank)
        return pick_device(name)

    def shard_method(self, make: Callable[[TrainConfig], T], train: TrainConfig) -> T:
        whole = train.batch_size
        if whole % self.size:
            raise InputError(
                f"batch_size is {whole}, which {self.size} processes cannot share evenly; "
                f"make it a multiple of {self.size}."
            )
        share = whole // self.size
        try:
            method = make(replace(train, batch_size=share))
        except InputError as error:
            raise InputError(
                f"{error} (Each of the {self.size} processes draws {share} of the {whole} images "
                "of a step.)"
            ) from error
        for turn, head in enumerate(heads_of(method)):
            head.step_size = whole
            if isinstance(head, ClusterMethod):
                head.adopt = partial(DistributedIndex.of, rank=self.rank, size=self.size, turn=turn)
        return method

    # --- a step -------------------------------------------------------------------------

    def wrap_ddp(self, network: nn.Module, own: nn.Module) -> Learner:
        # Losses of some methods leave out the head, or weights that only some batches need.
        parallel = nn.parallel.DistributedDataParallel(
            _Weights([*network.parameters(), *own.parameters()]), find_unused_parameters=True
        )

        def learn(work: Callable[[], Loss]) -> Loss:
            total, parts = parallel(work)
            return Loss(total, parts)

        return learn

    def sync_state(self, method: Method | MultiLabel, network: nn.Module) -> None:
        indices = {
            str(a): head.index
            for a, head in enumerate(heads_of(method))
            if isinstance(head, ClusterMethod) and isinstance(head.index, DistributedIndex)
        }
        if indices:
            gathered = self.gather(
                {
                    f"{a}.{name}": array
                    for a, index in indices.items()
                    for name, array in index.changes().items()
                }
            )
            for a, index in indices.items():
                index.merge([_of(news, a) for news in gathered])
        self._mean_buffers([*network.buffers(), *method.modules.buffers()])

    def _mean_buffers(self, buffers: list[torch.Tensor]) -> None:
        """Running statistics (of batch normalization, of centers) become their means."""
        floats = [b for b in buffers if b.is_floating_point()]
        if not floats:
            return
        flat = torch.cat([b.detach().flatten().float() for b in floats])
        dist.all_reduce(flat)
        flat /= self.size
        for buffer, values in zip(floats, flat.split([b.numel() for b in floats]), strict=True):
            buffer.copy_(values.view_as(buffer))

    # --- what all know ------------------------------------------------------------------

    def gather_rows(self, part: np.ndarray, n: int, batch_size: int) -> np.ndarray:
        whole = np.empty((n, *part.shape[1:]), dtype=part.dtype)
        each = self.shard(n, batch_size)[1] * batch_size
        whole[self.rank * each : (self.rank + 1) * each] = part
        for rank in range(self.size):
            rows = torch.from_numpy(whole[rank * each : (rank + 1) * each])
            if len(rows):
                dist.broadcast(rows, rank)
        return whole

    def broadcast_from_main(self, work: Callable[[], T]) -> T:
        values: list[T] = []
        with self.raise_together():
            if self.is_main:
                values.append(work())
        gathered = self._gather_bytes(json.dumps(values).encode())[0]
        return values[0] if self.is_main else json.loads(gathered)[0]

    def any_process(self, asked: bool) -> bool:
        flag = torch.tensor([int(asked)])
        dist.all_reduce(flag, dist.ReduceOp.MAX)
        return bool(flag)

    def mean(self, values: Mapping[str, float]) -> dict[str, float]:
        gathered = [json.loads(t) for t in self._gather_bytes(json.dumps(dict(values)).encode())]
        names = dict.fromkeys(name for one in gathered for name in one)
        return {
            name: float(np.mean([one[name] for one in gathered if name in one])) for name in names
        }

    @contextmanager
    def raise_together(self) -> Iterator[None]:
        trouble: InputError | Stopped | None = None
        try:
            yield
        except (InputError, Stopped) as error:
            trouble = error
        mine = {} if trouble is None else {type(trouble).__name__: str(trouble)}
        gathered = [json.loads(t) for t in self._gather_bytes(json.dumps(mine).encode())]
        if trouble is not None:
            raise trouble
        for one in filter(None, gathered):
            raise Stopped if "Stopped" in one else InputError(next(iter(one.values())))

    def first_on_machine(self, work: Callable[[], T]) -> T:
        values: list[T] = []
        for turn in (True, False):
            with self.raise_together():
                if (self.local_rank == 0) is turn:
                    values.append(work())
        return values[0]

    @contextmanager
    def watched(self) -> Iterator[None]:
        try:
            yield
        except RuntimeError as error:
            # PyTorch has no class of its own for what gloo reports.
            if not any(word in str(error) for word in ("gloo", "NCCL", "Connection")):
                raise
            raise InputError(
                "Another process of this run has gone. torchrun with --max-restarts goes on from "
                "the last checkpoint by itself; else start the run again with --resume."
            ) from error

    # --- messages -----------------------------------------------------------------------

    def gather(self, arrays: Mapping[str, np.ndarray]) -> list[dict[str, np.ndarray]]:
        """The named arrays of every process, in order of rank."""
        from safetensors.numpy import load, save

        whole = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
        return [load(data) for data in self._gather_bytes(save(whole))]

    def _gather_bytes(self, data: bytes) -> list[bytes]:
        sizes = [torch.zeros(1, dtype=torch.int64) for _ in range(self.size)]
        dist.all_gather(sizes, torch.tensor([len(data)]))
        longest = max(int(size) for size in sizes)
        mine = torch.zeros(longest, dtype=torch.uint8)
        mine[: len(data)] = torch.frombuffer(bytearray(data), dtype=torch.uint8)
        all_data = [torch.empty_like(mine) for _ in range(self.size)]
        dist.all_gather(all_data, mine)
        return [d[: int(s)].numpy().tobytes() for d, s in zip(all_data, sizes, strict=True)]


class _Weights(nn.Module):
    """All that is trained; its output is whatever a piece of work computes with it.

    With the loss as output, DistributedDataParallel sees which weights the step has used.
    """

    def __init__(self, trained: list[nn.Parameter]) -> None:
        super().__init__()
        self.trained = nn.ParameterList(trained)
        # Where every weight is used, PyTorch would warn that it has looked for others in vain.
        self.never_used = nn.Parameter(torch.zeros(1, device=trained[0].device))

    def forward(self, work: Callable[[], Loss]) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        loss = work()
        return loss.total, dict(loss.parts)


def heads_of(method: Any) -> list[Method]:
    """The methods of which one for many attributes is made, or itself."""
    return method.heads if isinstance(method, MultiLabel) else [method]


def world_of_environment() -> World:
    """The group that ``torchrun`` (RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT) calls for.

    Where PyTorch's default process group is set up already, it is that.
    """
    if dist.is_available() and dist.is_initialized():
        return Group() if dist.get_world_size() > 1 else World()
    names = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
    if any(name not in os.environ for name in names) or os.environ["WORLD_SIZE"] == "1":
        return World()
    if not dist.is_available():
        raise InputError("This PyTorch is built without torch.distributed; start one process.")
    both = torch.cuda.is_available() and dist.is_nccl_available()
    store, rank, size = next(iter(dist.rendezvous("env://")))
    dist.init_process_group(
        "cpu:gloo,cuda:nccl" if both else "gloo",
        store=dist.PrefixStore(_new_name(store, rank, size), store),
        rank=rank,
        world_size=size,
        timeout=LONGEST_WAIT,
    )
    return Group()


def _new_name(store: dist.Store, rank: int, size: int) -> str:
    """A name that the processes of this start have in common, and no earlier start had.

    torchrun's store outlives its processes: after a restart the addresses of the dead would be
    found in it. What is asked and answered here goes by names that are made anew each time.
    """
    name = uuid4().hex
    if rank > 0:
        store.set(f"clmle/asked/{rank}", name)
        agreed = store.get(f"clmle/answer/{name}").decode()
        store.set(f"{agreed}/{rank}", "heard")
        return agreed
    others = range(1, size)
    while not all(store.check([f"{name}/{other}"]) for other in others):
        for other in others:
            if store.check([f"clmle/asked/{other}"]):  # perhaps by one that has died since
                asked = store.get(f"clmle/asked/{other}").decode()
                store.set(f"clmle/answer/{asked}", name)
        time.sleep(0.02)
    return name


def leave(world: World, code: int = 0) -> None:
    """The end of the process's part in a group, when all have come to theirs.

    One of several processes does not come back from here: it ends with ``code``. A thread of gloo
    that outlives Python's own end would abort it, which torchrun takes for a failed run.
    """
    if world.size > 1:
        world.any_process(False)
        dist.destroy_process_group()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _of(news: Mapping[str, np.ndarray], head: str) -> dict[str, np.ndarray]:
    """The arrays "head.name" of one head, by name."""
    return {
        name.partition(".")[2]: array
        for name, array in news.items()
        if name.partition(".")[0] == head
    }
