"""The least time that work can take on a machine: every operation at the machine's limits.

An operation with f floating-point operations that reads and writes b bytes takes at least
max(f / rate of products, b / bandwidth). The sum over all operations, one after the other, bounds
the work as PyTorch runs it. What stays in a cache is read faster than memory allows, so that small
work may come out above 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry


class Counter(TorchDispatchMode):
    """Floating-point operations and bytes of every operation under it."""

    def __init__(self) -> None:
        super().__init__()
        self.operations: list[tuple[float, float]] = []

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        out = func(*args, **(kwargs or {}))
        flops = 0.0
        if func.overloadpacket in flop_registry:
            flops = flop_registry[func.overloadpacket](*args, **(kwargs or {}), out_val=out)
        if flops or not func.is_view:
            leaves = tree_leaves((args, kwargs, out))
            size = sum(t.nbytes for t in leaves if isinstance(t, torch.Tensor))
            self.operations.append((flops, size))
        return out


def counted(work: Callable[[], object]) -> list[tuple[float, float]]:
    """(floating-point operations, bytes) of every operation of ``work``."""
    with Counter() as counter:
        work()
    return counter.operations


def gflop(operations: list[tuple[float, float]]) -> float:
    return sum(flops for flops, _ in operations) / 1e9


def least_seconds(
    operations: list[tuple[float, float]], limits: Mapping[str, float], low: bool = False
) -> float:
    """At ``limits``; ``low`` takes the rate of products in bfloat16."""
    rate = limits["bfloat16 product, GFLOP/s" if low else "product, GFLOP/s"] * 1e9
    memory = limits["memory, GB/s"] * 1e9
    return sum(max(flops / rate, size / memory) for flops, size in operations)
