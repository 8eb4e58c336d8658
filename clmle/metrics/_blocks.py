"""Blocks of distractor features, from an array or a memory map."""

import mmap
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch

from clmle.checks import array_of
from clmle.errors import InputError


def checked(features: Any, dim: int) -> Any:
    """Features of distractors, an array, tensor or memory map (m, dim)."""
    if not hasattr(features, "shape"):
        features = array_of(features, "distractors")
    if len(features.shape) != 2 or features.shape[1] != dim or not features.shape[0]:
        raise InputError(
            f"distractors must be (m, {dim}) as the probes, at least one row, but are "
            f"{tuple(features.shape)}."
        )
    if len(features) >= 1 << 31:
        raise InputError(f"At most {1 << 31:,} distractors can be counted.")
    return features


def sample(features: Any, n: int, seed: int, device: torch.device) -> torch.Tensor:
    """Random rows at unit length."""
    m = len(features)
    rows = np.sort(np.random.default_rng(seed).choice(m, size=min(n, m), replace=False))
    picked = features[torch.from_numpy(rows) if isinstance(features, torch.Tensor) else rows]
    return unit_tensor(picked, device, "distractors", rows)


def blocks(
    features: Any, size: int, cuts: Sequence[int], device: torch.device
) -> Iterator[torch.Tensor]:
    """Blocks of at most ``size`` unit rows that do not cross a row number in ``cuts``."""
    for start, end in pairwise(sorted({*range(0, len(features), size), *cuts, len(features)})):
        rows = features[start:end]
        yield unit_tensor(rows, device, "distractors", range(start, end))
        _forget(rows)


def unit_tensor(
    rows: Any, device: torch.device, name: str, numbers: Sequence[int] | np.ndarray
) -> torch.Tensor:
    """Rows (m, d) at unit length, float32 on ``device``; an error names a row of 0 or NaN."""
    if isinstance(rows, torch.Tensor):
        x = rows.to(device, torch.float32, copy=True)
    else:
        array = np.asarray(rows)
        if array.dtype.kind not in "fiu":
            raise InputError(f"The {name} must be numbers, but are {array.dtype}.")
        x = torch.from_numpy(array.astype(np.float32)).to(device)
    norms = torch.linalg.vector_norm(x, dim=1, keepdim=True)
    good = torch.isfinite(norms[:, 0]) & (norms[:, 0] > 0)
    if not bool(good.all()):
        at = int(torch.nonzero(~good)[0, 0])
        kind = "a row of zeros" if float(norms[at]) == 0 else "NaN or infinite"
        raise InputError(f"The {name} are {kind} at row {int(numbers[at])}; remove it.")
    return x.div_(norms)  # in place: x is a copy


def _forget(rows: Any) -> None:
    """Release the pages of a read-only memory map after reading."""
    if not (isinstance(rows, np.memmap) and rows.mode == "r" and hasattr(mmap, "MADV_DONTNEED")):
        return
    base: Any = rows
    while isinstance(base, np.ndarray):
        base = base.base
    if isinstance(base, mmap.mmap):
        base.madvise(mmap.MADV_DONTNEED)
