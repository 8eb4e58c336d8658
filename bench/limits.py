"""What bounds every figure: this machine's rate of matrix products and its memory bandwidth.

Measured before and after every comparison, in its process, so that what else the machine does
falls on figure and limit alike.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

import torch

SIDE = 2048  # of the matrices that are multiplied; on a GPU four times as long
COPIED = 1 << 26  # numbers copied: 256 MB, which no cache holds; on a GPU four times as many
REPEATS = 5


def pick() -> torch.device:
    """The first GPU where there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def clock(device: torch.device) -> float:
    """Seconds, once all that was asked of the device is done."""
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


def seconds(work: Callable[[], object], device: torch.device, repeats: int = REPEATS) -> float:
    """Median over repeats, after one that does not count."""
    work()
    times = []
    for _ in range(repeats):
        start = clock(device)
        work()
        times.append(clock(device) - start)
    return median(times)


def product_rate(device: torch.device, dtype: torch.dtype = torch.float32) -> float:
    """GFLOP/s of a large matrix product."""
    side = SIDE * (4 if device.type == "cuda" else 1)
    a, b = (torch.randn(side, side, device=device).to(dtype) for _ in range(2))
    out = torch.empty(side, side, device=device, dtype=dtype)
    return 2 * side**3 / seconds(lambda: torch.mm(a, b, out=out), device) / 1e9


def bandwidth(device: torch.device) -> float:
    """GB/s read and written by a copy."""
    n = COPIED * (4 if device.type == "cuda" else 1)
    source, target = (torch.zeros(n, device=device) for _ in range(2))
    return 2 * source.nbytes / seconds(lambda: target.copy_(source), device) / 1e9


def limits() -> dict[str, float]:
    """The three rates, three digits each."""
    device = pick()
    found = {
        "product, GFLOP/s": product_rate(device),
        "bfloat16 product, GFLOP/s": product_rate(device, torch.bfloat16),
        "memory, GB/s": bandwidth(device),
    }
    return {name: float(f"{value:.3g}") for name, value in found.items()}
