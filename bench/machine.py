"""The machine of a measurement: its description, its limits, and the least time work can take.

The limits are the rate of a large matrix product, in float32 and in bfloat16, and the bandwidth of
a copy in memory. They are measured before and after every comparison, in the same run.
"""

import os
import platform
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

from clmle.training.reporting import processor

PACKAGES = ("torch", "numpy", "faiss-cpu")
SIDE = 2048  # rows and columns of the multiplied matrices; four times as many on a GPU
COPIED = 1 << 26  # float32 numbers copied (256 MB, no cache holds them); four times on a GPU
REPEATS = 5
PRODUCT, LOW_PRODUCT, MEMORY = "product, GFLOP/s", "bfloat16 product, GFLOP/s", "memory, GB/s"


def hardware() -> str:
    """Processor, cores and GPU, in one line."""
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    return f"{processor()}, {os.cpu_count()} cores, {gpu}"


def versions() -> str:
    """Versions of Python and of the main packages, in one line."""
    packages = ", ".join(f"{p} {version(p)}" for p in PACKAGES)
    return f"Python {platform.python_version()}, {packages}"


def pick() -> torch.device:
    """The first GPU if there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def clock() -> float:
    """Seconds, after all queued work of a GPU in use has ended."""
    if torch.cuda.is_initialized():
        torch.cuda.synchronize()
    return time.perf_counter()


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """The result of ``work`` and its seconds."""
    start = clock()
    result = work()
    return result, clock() - start


def median_seconds(work: Callable[[], object], repeats: int = REPEATS) -> float:
    """Median duration over ``repeats`` calls, after one warm-up call."""
    work()
    return median(timed(work)[1] for _ in range(repeats))


def in_turn(
    contenders: Mapping[str, Callable[[], Any]], repeats: int
) -> tuple[dict[str, list[float]], dict[str, Any]]:
    """Seconds of each call and the last result, contenders in turn so that noise meets all."""
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    results = {}
    for _ in range(repeats):
        for name, work in contenders.items():
            results[name], taken = timed(work)
            seconds[name].append(taken)
    return seconds, results


def memory_mb() -> float:
    """Peak memory of this process in MB; that of getrusage includes the process before it."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def anonymous_mb() -> float:
    """Resident memory of this process without pages of files, in MB."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.split("RssAnon:")[1].split()[0]) / 1024


@contextmanager
def one_thread() -> Iterator[None]:
    """Processes that are started within compute on one thread."""
    before = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["OMP_NUM_THREADS"]
        else:
            os.environ["OMP_NUM_THREADS"] = before


def product_rate(side: int, device: torch.device, dtype: torch.dtype = torch.float32) -> float:
    """GFLOP/s of the product of two square matrices."""
    a, b = (torch.randn(side, side, device=device).to(dtype) for _ in range(2))
    out = torch.empty(side, side, device=device, dtype=dtype)
    return 2 * side**3 / median_seconds(lambda: torch.mm(a, b, out=out)) / 1e9


def bandwidth(n: int, device: torch.device) -> float:
    """GB/s read and written by a copy of ``n`` numbers."""
    source, target = (torch.zeros(n, device=device) for _ in range(2))
    return 2 * source.nbytes / median_seconds(lambda: target.copy_(source)) / 1e9


def limits(quick: bool = False) -> dict[str, float]:
    """The three limits, rounded to three digits; of small matrices and copies if ``quick``."""
    device = pick()
    size = 0.25 if quick else 4 if device.type == "cuda" else 1
    side = int(SIDE * size)
    found = {
        PRODUCT: product_rate(side, device),
        LOW_PRODUCT: product_rate(side, device, torch.bfloat16),
        MEMORY: bandwidth(int(COPIED * size), device),
    }
    return {name: float(f"{value:.3g}") for name, value in found.items()}


class _Operations(TorchDispatchMode):
    """Records the floating-point operations and the bytes of every operation."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[float, float]] = []

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
            self.found.append((flops, size))
        return out


def operations(work: Callable[[], object]) -> list[tuple[float, float]]:
    """(floating-point operations, bytes read and written) of every operation of ``work``."""
    with _Operations() as mode:
        work()
    return mode.found


def gflop(work: Callable[[], object]) -> float:
    """10^9 floating-point operations of ``work``."""
    return sum(flops for flops, _ in operations(work)) / 1e9


def least_seconds(
    found: list[tuple[float, float]], rates: Mapping[str, float], low: bool = False
) -> float:
    """Roofline: each operation takes at least max(flops / product rate, bytes / bandwidth)."""
    rate, memory = rates[LOW_PRODUCT if low else PRODUCT] * 1e9, rates[MEMORY] * 1e9
    return sum(max(flops / rate, size / memory) for flops, size in found)
