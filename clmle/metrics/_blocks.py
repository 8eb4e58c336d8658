"""Blocks of distractor features, from an array or a memory map."""

import mmap
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch

from clmle.checks import array_of
from clmle.errors import InputError


class Source:
    """Unit rows of ``total`` distractors on a device, read block by block in order."""

    def __init__(self, features: Any, dim: int, device: torch.device) -> None:
        if not hasattr(features, "shape"):
            features = array_of(features, "distractors")
        if len(features.shape) != 2 or features.shape[1] != dim or not features.shape[0]:
            raise InputError(
                f"distractors must be (m, {dim}) as the probes, at least one row, but are "
                f"{tuple(features.shape)}."
            )
        self.features, self.device, self.total = features, device, int(features.shape[0])

    def sample(self, n: int, seed: int) -> torch.Tensor:
        """Random rows."""
        rng = np.random.default_rng(seed)
        rows = np.sort(rng.choice(self.total, size=min(n, self.total), replace=False))
        picked = self.features[torch.from_numpy(rows) if _is_tensor(self.features) else rows]
        return unit_tensor(picked, self.device, "distractors", rows)

    def blocks(self, size: int, cuts: Sequence[int]) -> Iterator[torch.Tensor]:
        """Blocks of at most ``size`` rows that do not cross a row number in ``cuts``."""
        for start, end in pairwise(sorted({*range(0, self.total, size), *cuts, self.total})):
            rows = self.features[start:end]
            yield unit_tensor(rows, self.device, "distractors", range(start, end))
            _forget(rows)


def unit_tensor(
    rows: Any, device: torch.device, name: str, numbers: Sequence[int] | np.ndarray
) -> torch.Tensor:
    """Rows (m, d) at unit length, float32 on ``device``; an error names a row of 0 or NaN."""
    if _is_tensor(rows):
        x: torch.Tensor = rows.to(device, torch.float32, copy=True)
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


def _is_tensor(rows: Any) -> bool:
    return isinstance(rows, torch.Tensor)


def _forget(rows: Any) -> None:
    """Release the pages of a read-only memory map after reading."""
    if not (isinstance(rows, np.memmap) and rows.mode == "r" and hasattr(mmap, "MADV_DONTNEED")):
        return
    base: Any = rows
    while isinstance(base, np.ndarray):
        base = base.base
    if isinstance(base, mmap.mmap):
        base.madvise(mmap.MADV_DONTNEED)
