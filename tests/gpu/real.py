"""A real GPU with the interface of the pretend one: it counts what makes the host wait."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch


@dataclass
class RealGPU:
    """``waits`` by ("wait", "file:line"), from the warnings of PyTorch's sync debug mode."""

    seen: list[warnings.WarningMessage]

    @property
    def waits(self) -> Counter[tuple[str, str]]:
        found = [one for one in self.seen if "synchronizing CUDA" in str(one.message)]
        return Counter(("wait", f"{one.filename.rsplit('/', 1)[-1]}:{one.lineno}") for one in found)


@contextmanager
def real_gpu() -> Iterator[RealGPU]:
    """A context in which the waits for the first GPU are counted."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        try:
            yield RealGPU(seen)
        finally:
            torch.cuda.set_sync_debug_mode("default")
