"""The processes that train a run: one, or several that torchrun started.

The trainer calls the methods of :class:`World`, which change nothing for a single process:

* every process draws a part of the batch (:meth:`World.draw_number`, :meth:`World.shard_method`);
* DistributedDataParallel averages the gradients (:meth:`World.wrap_ddp`);
* after the step clusters, cached losses and running statistics are synchronized
  (:meth:`World.sync_state`);
* the main process decides for all (metrics, the best round), and a stop or an error of one
  process ends all.

Tensors on a GPU are sent by NCCL, everything else by gloo; nothing is pickled.
"""

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

from clmle._gather import gather_arrays, gather_bytes
from clmle.config import TrainConfig
from clmle.distributed_index import DistributedIndex
from clmle.errors import InputError
from clmle.methods import Loss, Method
from clmle.methods._cluster_method import ClusterMethod
from clmle.methods._multi_label import MultiLabel
from clmle.training.extraction import pick_device
from clmle.training.reporting import Stopped

T = TypeVar("T")
Differentiable = Callable[[Callable[[], Loss]], Loss]
TIMEOUT = timedelta(hours=2)  # one process may render a data set while the others wait


class World:
    """The processes that train a run, as seen by number ``rank`` of ``size``.

    Several processes use PyTorch's default process group; for a single one the methods change
    nothing.
    """

    def __init__(self, rank: int = 0, size: int = 1) -> None:
        self.rank, self.size = rank, size
        self.local_rank = int(os.environ.get("LOCAL_RANK", rank))

    @property
    def is_main(self) -> bool:
        """Whether this process decides and writes the run folder."""
        return self.rank == 0

    def device(self, name: str) -> torch.device:
        """Return the device that the option ``name`` means for this process."""
        if self.size == 1:
            return pick_device(name)
        if name == "auto":
            name = "cuda" if torch.cuda.is_available() else "cpu"
        if name.startswith("cuda:"):
            raise InputError(
                f"device is {name}, but each of the {self.size} processes needs its own GPU; "
                "leave it at auto."
            )
        if name == "cuda" and torch.cuda.is_available():
            found = torch.cuda.device_count()
            if self.local_rank >= found:
                raise InputError(
                    f"torchrun started more processes than this machine has GPUs ({found}); "
                    f"use --nproc-per-node {found}, or train with --device cpu."
                )
            name = f"cuda:{self.local_rank}"
            torch.cuda.set_device(self.local_rank)
        return pick_device(name)

    def draw_number(self, step: int) -> int:
        """Return the number of this process's draw: unique over processes and steps."""
        return step * self.size + self.rank

    def shard_method(self, make: Callable[[TrainConfig], T], train: TrainConfig) -> T:
        """Make the method of this process, which draws its part of each batch."""
        if self.size == 1:
            return make(train)
        whole = train.batch_size
        if whole % self.size:
            raise InputError(
                f"batch_size is {whole}, which is not a multiple of the {self.size} processes; "
                f"make it one."
            )
        part = whole // self.size
        try:
            method = make(replace(train, batch_size=part))
        except InputError as error:
            raise InputError(
                f"{error} (Each of the {self.size} processes draws {part} of the {whole} images "
                "of a step.)"
            ) from error
        for turn, head in enumerate(heads_of(method)):
            head.step_size = whole
            if isinstance(head, ClusterMethod):
                head.adopt = partial(DistributedIndex.of, rank=self.rank, size=self.size, turn=turn)
        return method

    def wrap_ddp(self, network: nn.Module, own: nn.Module, uses_all: bool) -> Differentiable:
        """Return a function that computes a loss whose gradients are averaged over processes.

        ``uses_all`` promises that every step uses all parameters. Where some losses leave out the
        head, or use some weights in some batches only, each step searches for unused parameters,
        and waits for a GPU.
        """
        if self.size == 1:
            return lambda forward: forward()
        weights = _Weights([*network.parameters(), *own.parameters()], uses_all)
        parallel = nn.parallel.DistributedDataParallel(weights, find_unused_parameters=not uses_all)

        def compute(forward: Callable[[], Loss]) -> Loss:
            found: list[Loss] = []

            def kept() -> Loss:
                found.append(forward())
                return found[0]

            total, parts = parallel(kept)
            return Loss(total, parts, found[0].after_backward)

        return compute

    def sync_state(self, method: Method | MultiLabel, network: nn.Module) -> None:
        """Synchronize the cluster indices and the running statistics of all processes."""
        if self.size == 1:
            return
        indices = {
            str(a): head.index
            for a, head in enumerate(heads_of(method))
            if isinstance(head, ClusterMethod) and isinstance(head.index, DistributedIndex)
        }
        shared: dict[str, Any] = dict(indices)
        if indices and isinstance(method, MultiLabel) and method.stack is not None:
            shared["stack"] = method.stack
        if shared:
            gathered = gather_arrays(
                {
                    f"{part}.{name}": array
                    for part, index in shared.items()
                    for name, array in index.changes().items()
                }
            )
            for part, index in shared.items():
                index.merge([_of(news, part) for news in gathered])
        self._average_buffers([*network.buffers(), *method.modules.buffers()])

    def _average_buffers(self, buffers: list[torch.Tensor]) -> None:
        """Average running statistics (of batch normalization, of centers)."""
        floats = [b for b in buffers if b.is_floating_point()]
        if not floats:
            return
        flat = torch.cat([b.detach().flatten().float() for b in floats])
        dist.all_reduce(flat)
        flat /= self.size
        for buffer, values in zip(floats, flat.split([b.numel() for b in floats]), strict=True):
            buffer.copy_(values.view_as(buffer))

    def shard(self, n: int, batch_size: int) -> tuple[slice, int]:
        """Return this process's part of ``n`` rows and the number of batches per process."""
        batches = -(-n // batch_size)
        each = -(-batches // self.size)
        first = min(n, self.rank * each * batch_size)
        return slice(first, min(n, first + each * batch_size)), each

    def gather_rows(self, part: np.ndarray, n: int, batch_size: int) -> np.ndarray:
        """Gather the ``n`` rows of which every process holds its :meth:`shard`."""
        if self.size == 1:
            return part
        whole = np.empty((n, *part.shape[1:]), dtype=part.dtype)
        each = self.shard(n, batch_size)[1] * batch_size
        whole[self.rank * each : (self.rank + 1) * each] = part
        for rank in range(self.size):
            rows = torch.from_numpy(whole[rank * each : (rank + 1) * each])
            if len(rows):
                dist.broadcast(rows, rank)
        return whole

    def broadcast_from_main(self, work: Callable[[], T]) -> T:
        """Return in all processes what ``work`` returns in the main one (plain JSON values)."""
        values: list[T] = []
        with self.raise_together():
            if self.is_main:
                values.append(work())
        gathered = self._gather_values(values)[0]
        return values[0] if self.is_main else gathered[0]

    def any_process(self, asked: bool) -> bool:
        """Return whether ``asked`` is true in any process."""
        if self.size == 1:
            return asked
        flag = torch.tensor([int(asked)])
        dist.all_reduce(flag, dist.ReduceOp.MAX)
        return bool(flag)

    def mean(self, values: Mapping[str, float]) -> dict[str, float]:
        """Average each value over the processes that have one of its name."""
        gathered = self._gather_values(dict(values))
        names = dict.fromkeys(name for one in gathered for name in one)
        return {
            name: float(np.mean([one[name] for one in gathered if name in one])) for name in names
        }

    @contextmanager
    def raise_together(self) -> Iterator[None]:
        """Raise an InputError or a stop of one process in all of them, at the end of the block."""
        raised: InputError | Stopped | None = None
        try:
            yield
        except (InputError, Stopped) as error:
            raised = error
        mine = {} if raised is None else {type(raised).__name__: str(raised)}
        others = filter(None, self._gather_values(mine))
        if raised is not None:
            raise raised
        for one in others:
            raise Stopped if "Stopped" in one else InputError(next(iter(one.values())))

    def first_on_machine(self, work: Callable[[], T]) -> T:
        """Do ``work`` in one process of every machine first, then in the others."""
        values: list[T] = []
        for turn in (True, False):
            with self.raise_together():
                if (self.local_rank == 0) is turn:
                    values.append(work())
        return values[0]

    @contextmanager
    def report_lost_process(self) -> Iterator[None]:
        """Raise an InputError where the connection to another process is lost."""
        try:
            yield
        except RuntimeError as error:
            # PyTorch raises errors of gloo as plain RuntimeErrors.
            lost = any(word in str(error) for word in ("gloo", "NCCL", "Connection"))
            if self.size == 1 or not lost:
                raise
            raise InputError(
                "Another process of this run was lost; resume the run with --resume (torchrun with "
                "--max-restarts resumes it by itself)."
            ) from error

    def _gather_values(self, value: Any) -> list[Any]:
        """Return the plain JSON value of every process, in order of rank."""
        if self.size == 1:
            return [value]
        return [json.loads(text) for text in gather_bytes(json.dumps(value).encode())]


class _Weights(nn.Module):
    """All trained parameters; the output is the loss that ``forward`` computes with them.

    With the loss as output, DistributedDataParallel finds the parameters that the step has used.
    """

    def __init__(self, parameters: list[nn.Parameter], uses_all: bool) -> None:
        super().__init__()
        self.trained = nn.ParameterList(parameters)
        if not uses_all:  # without an unused parameter PyTorch warns that it searched for one
            self.never_used = nn.Parameter(torch.zeros(1, device=parameters[0].device))

    def forward(self, forward: Callable[[], Loss]) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        loss = forward()
        return loss.total, dict(loss.parts)


def heads_of(method: Any) -> list[Method]:
    """Return the heads of a multi-label method, or the method itself."""
    return method.heads if isinstance(method, MultiLabel) else [method]


def world_of_environment() -> World:
    """Return the processes that torchrun started (RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT).

    PyTorch's default process group is used where it is set up already.
    """
    if dist.is_available() and dist.is_initialized():
        return World(dist.get_rank(), dist.get_world_size())
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
        timeout=TIMEOUT,
    )
    return World(rank, size)


def _new_name(store: dist.Store, rank: int, size: int) -> str:
    """Agree on a new name for the keys of this start in torchrun's store.

    The store outlives the processes: after a restart it still holds the addresses of the earlier
    ones.
    """
    name = uuid4().hex
    if rank > 0:
        store.set(f"clmle/asked/{rank}", name)
        agreed = store.get(f"clmle/answer/{name}").decode()
        store.set(f"{agreed}/{rank}", "agreed")
        return agreed
    others = range(1, size)
    while not all(store.check([f"{name}/{other}"]) for other in others):
        for other in others:
            if store.check([f"clmle/asked/{other}"]):  # perhaps by a process that is gone
                asked = store.get(f"clmle/asked/{other}").decode()
                store.set(f"clmle/answer/{asked}", name)
        time.sleep(0.02)
    return name


def leave(world: World, code: int = 0) -> None:
    """Wait for all processes, then end this one with ``code`` if it is one of several.

    It ends at once: a thread of gloo that is alive when Python exits would abort the process,
    which torchrun takes for a failure.
    """
    if world.size > 1:
        world.any_process(False)
        dist.destroy_process_group()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _of(news: Mapping[str, np.ndarray], head: str) -> dict[str, np.ndarray]:
    """Return the arrays "head.name" of one head, by name."""
    return {
        name.partition(".")[2]: array
        for name, array in news.items()
        if name.partition(".")[0] == head
    }
