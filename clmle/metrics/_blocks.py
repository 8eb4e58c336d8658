"""Blocks of distractor features, from an array, a memory map or an iterator of arrays."""

import mmap
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

import numpy as np
import torch

from clmle.errors import InputError


class Source:
    """Unit rows of distractors on a device, read in blocks; ``total`` is their number or None."""

    def __init__(self, features: Any, dim: int, device: torch.device, total: int | None) -> None:
        self.dim, self.device = dim, device
        shape = getattr(features, "shape", None)
        self.rereadable = shape is not None
        self.total = total
        if shape is not None:
            if len(shape) != 2 or not shape[0]:
                raise InputError(
                    f"distractors must be (m, {dim}), at least one row, but are {tuple(shape)}."
                )
            self.features, self.total = features, int(shape[0])
        elif isinstance(features, Iterable):
            self.features = iter(features)
        else:
            raise InputError(
                f"distractors are a {type(features).__name__}, but must be an array (m, {dim}), a "
                "memory map or an iterator of such arrays."
            )

    def sample(self, n: int, seed: int) -> torch.Tensor:
        """Random rows of an array, or the first block of an iterator; :meth:`blocks` repeats it."""
        if self.rereadable:
            rows = np.random.default_rng(seed).choice(
                len(self.features), size=min(n, len(self.features)), replace=False
            )
            rows.sort()
            picked = self.features[torch.from_numpy(rows) if _is_tensor(self.features) else rows]
            return self._units(picked, rows)
        try:
            first = next(self.features)
        except StopIteration:
            raise InputError("The iterator of distractors yields no block.") from None
        self.features = chain([first], self.features)
        return self._units(first[:n], range(len(first)))

    def blocks(self, size: int, cuts: Sequence[int]) -> Iterator[torch.Tensor]:
        """Blocks of at most ``size`` rows that do not cross a row number in ``cuts``."""
        at = 0
        for rows in self._pieces(size):
            while len(rows):
                room = min((c - at for c in cuts if c > at), default=size)
                take = min(size, room, len(rows))
                yield self._units(rows[:take], range(at, at + take))
                _forget(rows)
                at, rows = at + take, rows[take:]
        if not self.rereadable and self.total not in (None, at):
            raise InputError(
                f"The iterator yields {at:,} distractors, but n_distractors is {self.total:,}."
            )

    def _pieces(self, size: int) -> Iterator[Any]:
        if self.rereadable:
            for start in range(0, self.total or 0, size):
                yield self.features[start : start + size]
            return
        waiting: list[Any] = []
        for rows in self.features:
            waiting.append(rows)
            if sum(map(len, waiting)) >= size:  # larger blocks give faster products
                yield _joined(waiting)
                waiting = []
        if waiting:
            yield _joined(waiting)

    def _units(self, rows: Any, numbers: Sequence[int] | np.ndarray) -> torch.Tensor:
        shape = tuple(getattr(rows, "shape", ()))
        if len(shape) != 2 or shape[1] != self.dim:
            raise InputError(
                f"The distractors from row {numbers[0] if len(numbers) else 0} are {shape}, but "
                f"must be (m, {self.dim}) as the probes."
            )
        return unit_tensor(rows, self.device, "distractors", numbers)


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


def _joined(pieces: list[Any]) -> Any:
    if len(pieces) == 1:
        return pieces[0]
    if any(len(getattr(p, "shape", ())) != 2 or p.shape[1] != pieces[0].shape[1] for p in pieces):
        shapes = sorted({str(tuple(getattr(p, "shape", ()))) for p in pieces})
        raise InputError(f"The blocks of distractors differ in shape: {', '.join(shapes)}.")
    return torch.cat(pieces) if _is_tensor(pieces[0]) else np.concatenate(pieces)


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
