"""The exact streaming pass over probe x distractor pairs: its product alone, numpy and FAISS."""

import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch

from bench.comparison import Comparison, Rows, Tables, fresh_process, number
from bench.machine import MEMORY, PRODUCT, in_turn, memory_mb, pick, timed
from clmle.metrics.roc import tar_at_far
from clmle.metrics.streaming import BLOCK, open_set

TILE = (250, 4096)
IDENTITIES, EACH, DIM = 80, 50, 512
PROBES = IDENTITIES * EACH
CLMLE, NUMPY, FAISS = (
    "clmle: all FARs, all ranks at 5 sizes", "numpy: product, sorts",
    "FAISS IndexFlatIP: nearest distractor only",
)  # fmt: skip


def probes(n_identities: int = IDENTITIES) -> tuple[np.ndarray, np.ndarray]:
    """Features of identities, a center and noise each: TAR at FAR 1e-6 is far from 0 and 1."""
    rng = np.random.default_rng(0)
    identities = np.repeat(np.arange(n_identities), EACH)
    centers = rng.normal(size=(n_identities, DIM)).astype(np.float32)
    noise = rng.normal(size=(len(identities), DIM)).astype(np.float32)
    hardness = 1.9 * rng.uniform(0.3, 1.2, (len(identities), 1)).astype(np.float32)
    return centers[identities] + hardness * noise, identities


def write_distractors(n: int, path: Path) -> Path:
    """Writes features of other identities, which share a direction, into a .npy file."""
    rng = np.random.default_rng(1)
    shared = rng.normal(size=DIM).astype(np.float32)
    out = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(n, DIM))
    for start in range(0, n, BLOCK):
        part = out[start : start + BLOCK]
        part[:] = rng.standard_normal(part.shape, dtype=np.float32) + 0.3 * shared
    out.flush()
    return path


class Product:
    """Times the matrix product alone, in the tiles and threads of the pass, between its blocks."""

    def __init__(self, units: np.ndarray, threads: int) -> None:
        self.device = pick()
        self.left = torch.from_numpy(units).to(self.device)
        rng = np.random.default_rng(2)
        right = torch.from_numpy(rng.normal(size=(BLOCK, DIM)).astype(np.float32))
        self.right = right.to(self.device)
        self.threads, self.seconds, self.flop, self.excluded = threads, 0.0, 0, 0.0
        self.blocks = 0

    def __call__(self, done: int, total: int) -> None:
        """After every sixth block: one product, whose time is excluded from the pass."""
        self.blocks += 1
        if self.blocks % 6 == 0:
            self.excluded += timed(self._product)[1]

    def _product(self) -> None:
        before = torch.get_num_threads()
        with ThreadPoolExecutor(self.threads, "", torch.set_num_threads, (1,)) as pool:
            outs = [torch.empty(TILE, device=self.device) for _ in range(self.threads)]
            self.seconds += timed(lambda: list(pool.map(self._rows, range(self.threads), outs)))[1]
        torch.set_num_threads(before)
        self.flop += 2 * len(self.left) * len(self.right) * DIM

    def _rows(self, worker: int, out: torch.Tensor) -> None:
        rows, columns = TILE
        for first in range(worker * rows, len(self.left), rows * self.threads):
            left = self.left[first : first + rows]
            for start in range(0, len(self.right), columns):
                torch.mm(left, self.right[start : start + columns].T, out=out[: len(left)])


def one_pass(n: int) -> dict[str, Any]:
    """A pass over n distractors in this process; a row of the table."""
    x, identities = probes()
    with tempfile.TemporaryDirectory() as folder:
        # Written by another process: the peak of memory is that of the pass.
        path = fresh_process(write_distractors, n, Path(folder) / "d.npy")
        product = Product(x / np.linalg.norm(x, axis=1, keepdims=True), torch.get_num_threads())
        found = open_set(
            x, identities, np.load(path, mmap_mode="r"), device=pick(), progress=product,
            n_bootstrap=200,
        )  # fmt: skip
    seconds = found.seconds - product.excluded
    rate = 2 * len(x) * n * DIM / seconds / 1e9
    limit = product.flop / product.seconds / 1e9
    last = found.tar_at_far[-1]
    return {
        "probes": len(x), "distractors": n, "impostor pairs": f"{found.n_impostor:,}",
        "seconds": round(seconds, 1), "GFLOP/s": round(rate, 1),
        "product alone GFLOP/s": round(limit, 1), "fraction of its rate": round(rate / limit, 3),
        "peak MB": round(memory_mb()), "passes": found.passes,
        "TAR at 1e-6": round(last["tar"], 4), "false accepts": last["false_accepts"],
        "rank-1": round(found.rank_one[-1]["rate"], 4),
    }  # fmt: skip


def streaming(quick: bool) -> Rows:
    """New processes over the number of distractors."""
    return [fresh_process(one_pass, n) for n in ([50_000] if quick else [100_000, 1_000_000])]


def against_peers(quick: bool) -> Rows:
    """Seconds (medians) for 1,000 probes: all metrics by numpy, first ranks by FAISS."""
    import faiss

    n = 20_000 if quick else 100_000
    x, identities = probes(20)
    with tempfile.TemporaryDirectory() as folder:
        others = np.load(write_distractors(n, Path(folder) / "d.npy"))
    units = [r / np.linalg.norm(r, axis=1, keepdims=True) for r in (x, others)]

    def by_numpy() -> tuple[list[dict[str, Any]], np.ndarray]:
        scores = units[0] @ units[1].T
        own = units[0] @ units[0].T
        a, b = np.nonzero((identities[:, None] == identities) & ~np.eye(len(x), dtype=bool))
        ordered = np.sort(scores, axis=1)
        ranks = np.empty(len(a), dtype=np.int64)
        for i in range(len(x)):
            mine = a == i
            ranks[mine] = 1 + n - np.searchsorted(ordered[i], own[i, b[mine]], "left")
        return tar_at_far(own[a, b][a < b], np.sort(scores, axis=None)), ranks

    def by_faiss() -> np.ndarray:
        index = faiss.IndexFlatIP(DIM)
        index.add(units[1])
        nearest: np.ndarray = index.search(units[0], 1)[0][:, 0]
        return nearest

    contenders = {
        CLMLE: lambda: open_set(x, identities, others, n_bootstrap=2),
        NUMPY: by_numpy,
        FAISS: by_faiss,
    }
    seconds, results = in_turn(contenders, 1 if quick else 3)
    found, (tars, ranks), first = results.values()
    at = np.lexsort((found.mate, found.probe))
    mine = found.ranks[n][at]
    a, b = found.probe[at], found.mate[at]
    own = np.einsum("nd,nd->n", units[0][a], units[0][b])
    same = sum(one["tar"] == two["tar"] for one, two in zip(found.tar_at_far, tars, strict=True))
    agree = {
        NUMPY: f"TAR {same} of {len(tars)} equal, ranks {(mine == ranks).mean():.4%} equal",
        FAISS: f"first ranks {((mine == 1) == (own > first[a])).mean():.4%} equal",
    }
    base = median(seconds[CLMLE])
    return [
        {"method": name, "pairs": f"{len(x) * n:,}", "seconds": round(median(times), 2),
         "relative time": round(median(times) / base, 2), "agreement": agree.get(name, "")}
        for name, times in seconds.items()
    ]  # fmt: skip


def values(tables: Tables, limits: Mapping[str, float]) -> dict[str, Any]:
    last = tables[""][-1]
    return {
        "distractors": last["distractors"], "fraction": number(last["fraction of its rate"]),
        "read": last["distractors"] * DIM * 4 / 1e9 / limits[MEMORY],
    }  # fmt: skip


def values_of_peers(tables: Tables, limits: Mapping[str, float]) -> dict[str, Any]:
    return {"product": 2 * number(tables[""][0]["pairs"]) * DIM / 1e9 / limits[PRODUCT]}


STREAMING = Comparison("verification", streaming, values)
PEERS = Comparison("verification-peers", against_peers, values_of_peers)
