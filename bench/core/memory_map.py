"""Balanced clusters of a memory-mapped file in one pass, and scikit-learn's MiniBatchKMeans."""

import os
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from bench.comparison import Comparison, Rows, Tables, fresh_process, number
from bench.machine import anonymous_mb, one_thread, timed
from clmle import BalancedKMeans

SIZES = (1_000_000, 10_000_000)
DIM, K = 64, 1000
BATCH = 200_000  # rows in memory at a time
MODES = 40  # of unequal weights
OURS, UNBOUNDED = "BalancedKMeans", "MiniBatchKMeans, sizes free"


def run(quick: bool = False) -> Rows:
    """Both methods at each size, each in a new process with one thread."""
    part = 50 if quick else 1
    rows = []
    for n in SIZES[:1] if quick else SIZES:
        with tempfile.TemporaryDirectory() as folder, one_thread():
            file = Path(folder) / "rows.npy"
            fresh_process(write_rows, n // part, file)
            for name in (OURS, UNBOUNDED):
                rows.append(fresh_process(one, name, file, K // part, BATCH // part))
    return rows


def write_rows(n: int, file: Path) -> None:
    """Rows (n, 64) of modes with unequal weights, into a .npy file."""
    rng = np.random.default_rng(0)
    centers = rng.normal(size=(MODES, DIM)).astype(np.float32)
    weights = rng.dirichlet(np.ones(MODES))
    out = np.lib.format.open_memmap(file, mode="w+", dtype=np.float32, shape=(n, DIM))
    for start in range(0, n, BATCH):
        block = out[start : start + BATCH]
        noise = rng.standard_normal(block.shape, dtype=np.float32)
        block[:] = centers[rng.choice(MODES, size=len(block), p=weights)] + 1.2 * noise
    out.flush()


def one(name: str, file: Path, k: int, batch: int) -> dict[str, str]:
    """Time, memory and result of one method."""
    from sklearn.cluster import MiniBatchKMeans

    mapped = np.load(file, mmap_mode="r")
    n = len(mapped)
    if name == OURS:
        model = BalancedKMeans(k, batch_size=batch, random_state=0)
    else:  # as many rows as the file has, in batches of the same size
        model = MiniBatchKMeans(
            k, batch_size=batch, init_size=batch, n_init=1, max_iter=1, max_no_improvement=None,
            random_state=0,
        )  # fmt: skip
    model.__class__(k, random_state=0).fit(np.array(mapped[: 4 * k]))  # loads the libraries
    with OwnMemory() as memory:
        cpu = os.times()
        _, seconds = timed(lambda: model.fit(mapped))
        end = os.times()
    sizes = np.bincount(model.labels_, minlength=k)
    if name == OURS and not n // k <= sizes.min() <= sizes.max() <= -(-n // k):
        raise ValueError(f"sizes are {sizes.min()} to {sizes.max()}")
    return {
        "method": name, "n": f"{n:,}", "K": f"{k:,}", "file, MB": f"{mapped.nbytes / 2**20:,.0f}",
        "seconds": f"{seconds:.2f}",
        "CPU s": f"{end.user + end.system - cpu.user - cpu.system:.2f}",
        "own memory, MB": f"{memory.peak:,.0f}",
        "sizes": " to ".join(f"{size:,}" for size in sorted({sizes.min(), sizes.max()})),
        "mean squared distance": f"{model.inertia_ / n:.2f}",
    }  # fmt: skip


class OwnMemory:
    """Peak of the resident memory that maps no file, in MB above that at the start."""

    def __enter__(self) -> "OwnMemory":
        self._first = self._last = anonymous_mb()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(0.02):
            self._last = max(self._last, anonymous_mb())

    @property
    def peak(self) -> float:
        """MB."""
        return self._last - self._first


def values(tables: Tables, limits: Mapping[str, float]) -> dict[str, Any]:
    """Of the largest file: time, memory and sizes, and both methods relative to each other."""
    rows = tables[""]
    own, other = rows[-2:]
    return {
        "n": own["n"], "file": own["file, MB"], "memory": own["own memory, MB"],
        "seconds": own["CPU s"], "sizes": own["sizes"],
        "ratio": number(own["CPU s"]) / number(other["CPU s"]), "other_sizes": other["sizes"],
        "small_n": rows[0]["n"], "small": rows[0]["own memory, MB"],
        "distance": number(own["mean squared distance"]) / number(other["mean squared distance"]),
    }  # fmt: skip


COMPARISON = Comparison("clustering-memory-map", run, values)
