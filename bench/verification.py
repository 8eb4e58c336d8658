"""One exact pass over all probe x distractor pairs against its matrix product, numpy and FAISS."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

import numpy as np
import torch

from bench.clustering import _peak_megabytes
from bench.comparison import Comparison, Tables, number
from bench.limits import clock, pick
from bench.report import print_rows
from clmle.metrics.roc import tar_at_far
from clmle.metrics.streaming import BLOCK, OpenSet, open_set

TILE = (250, 4096)
PEOPLE, EACH, DIM = 80, 50, 512


def probes(n_people: int = PEOPLE, spread: float = 1.9) -> tuple[np.ndarray, np.ndarray]:
    """Images of people: a center each and noise, so that TAR at FAR 1e-6 is far from 0 and 1."""
    rng = np.random.default_rng(0)
    people = np.repeat(np.arange(n_people), EACH)
    centers = rng.normal(size=(n_people, DIM)).astype(np.float32)
    noise = rng.normal(size=(len(people), DIM)).astype(np.float32)
    # Some images are harder than others.
    hardness = spread * rng.uniform(0.3, 1.2, (len(people), 1)).astype(np.float32)
    return centers[people] + hardness * noise, people


def distractors(n: int, path: Path) -> np.ndarray:
    """Features of other people in a .npy file, memory-mapped; they share a direction a little."""
    rng = np.random.default_rng(1)
    shared = rng.normal(size=DIM).astype(np.float32)
    out = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(n, DIM))
    for start in range(0, n, BLOCK):
        part = out[start : start + BLOCK]
        part[:] = rng.standard_normal(part.shape, dtype=np.float32) + 0.3 * shared
    out.flush()
    del out
    return np.load(path, mmap_mode="r")


class Product:
    """Times the matrix product alone, in the pass's tiles and threads, between its blocks."""

    def __init__(self, units: np.ndarray, threads: int) -> None:
        self.device = pick()
        self.left = torch.from_numpy(units).to(self.device)
        rng = np.random.default_rng(2)
        right = torch.from_numpy(rng.normal(size=(BLOCK, DIM)).astype(np.float32))
        self.right = right.to(self.device)
        self.threads, self.seconds, self.flop, self.away = threads, 0.0, 0, 0.0
        self.blocks = 0

    def __call__(self, done: int, total: int) -> None:
        """After every sixth block: one product, whose time is not the pass's."""
        self.blocks += 1
        if self.blocks % 6:
            return
        began = time.perf_counter()
        before = torch.get_num_threads()
        with ThreadPoolExecutor(
            self.threads, initializer=torch.set_num_threads, initargs=(1,)
        ) as pool:
            outs = [torch.empty(TILE, device=self.device) for _ in range(self.threads)]
            start = clock(self.device)
            list(pool.map(self._share, range(self.threads), outs))
            self.seconds += clock(self.device) - start
        torch.set_num_threads(before)
        self.flop += 2 * len(self.left) * len(self.right) * DIM
        self.away += time.perf_counter() - began

    def _share(self, worker: int, out: torch.Tensor) -> None:
        rows, columns = TILE
        for first in range(worker * rows, len(self.left), rows * self.threads):
            left = self.left[first : first + rows]
            for start in range(0, len(self.right), columns):
                torch.mm(left, self.right[start : start + columns].T, out=out[: len(left)])


def _one(n: int) -> None:
    """A pass over n distractors in this process alone; its figures as JSON."""
    x, people = probes()
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [sys.executable, "-m", "bench.verification", "--write", str(n), folder], check=True
        )
        mapped = np.load(Path(folder) / "d.npy", mmap_mode="r")
        product = Product(x / np.linalg.norm(x, axis=1, keepdims=True), torch.get_num_threads())
        found = open_set(x, people, mapped, device=pick(), progress=product, n_bootstrap=200)
    seconds = found.seconds - product.away
    rate = 2 * len(x) * n * DIM / seconds / 1e9
    limit = product.flop / product.seconds / 1e9
    last = found.tar_at_far[-1]
    print(json.dumps({
        "probes": len(x), "distractors": n, "impostor pairs": f"{found.n_impostor:,}",
        "seconds": round(seconds, 1), "GFLOP/s": round(rate, 1),
        "product alone GFLOP/s": round(limit, 1), "share of its rate": round(rate / limit, 3),
        "peak MB": round(_peak_megabytes()), "passes": found.passes,
        "all exact": all(row["exact"] for row in found.tar_at_far),
        "TAR at 1e-6": round(last["tar"], 4), "false accepts": last["false_accepts"],
        "rank-1": round(found.rank_one[-1]["share"], 4),
    }))  # fmt: skip


def streaming(quick: bool) -> list[dict]:
    """Fresh processes over the number of distractors."""
    rows = []
    for n in [50_000] if quick else [100_000, 1_000_000]:
        done = subprocess.run(
            [sys.executable, "-m", "bench.verification", "--one", str(n)],
            stdout=subprocess.PIPE, text=True, check=True,
        )  # fmt: skip
        rows.append(json.loads(done.stdout.splitlines()[-1]))
    return rows


def against_peers(quick: bool) -> list[dict]:
    """Seconds (medians) for 1,000 probes: all figures by numpy, first ranks by FAISS."""
    import faiss

    n = 20_000 if quick else 100_000
    x, people = probes(20)
    with tempfile.TemporaryDirectory() as folder:
        others = np.array(distractors(n, Path(folder) / "d.npy"))
    units = [r / np.linalg.norm(r, axis=1, keepdims=True) for r in (x, others)]
    ours: list[OpenSet] = []
    naive: list[tuple] = []
    first: list[np.ndarray] = []

    def by_numpy() -> None:
        scores = units[0] @ units[1].T
        own = units[0] @ units[0].T
        a, b = np.nonzero((people[:, None] == people) & ~np.eye(len(people), dtype=bool))
        ordered = np.sort(scores, axis=1)
        ranks = np.empty(len(a), dtype=np.int64)
        for i in range(len(people)):
            mine = a == i
            ranks[mine] = 1 + n - np.searchsorted(ordered[i], own[i, b[mine]], "left")
        naive.append((tar_at_far(own[a, b][a < b], np.sort(scores, axis=None)), ranks))

    def by_faiss() -> None:
        index = faiss.IndexFlatIP(DIM)
        index.add(units[1])
        first.append(index.search(units[0], 1)[0][:, 0])

    contenders = {
        "clmle: all FARs, all ranks at 5 sizes": lambda: ours.append(
            open_set(x, people, others, n_bootstrap=2)
        ),
        "numpy: product, sorts": by_numpy,
        "FAISS IndexFlatIP: nearest distractor only": by_faiss,
    }
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(1 if quick else 3):
        for name, work in contenders.items():
            start = time.perf_counter()
            work()
            seconds[name].append(time.perf_counter() - start)
    found, (tars, ranks) = ours[-1], naive[-1]
    at = np.lexsort((found.mate, found.probe))
    mine = found.ranks[n][at]
    a, b = found.probe[at], found.mate[at]
    own = np.einsum("nd,nd->n", units[0][a], units[0][b])
    agree = {
        "numpy: product, sorts": f"TAR {_equal(found.tar_at_far, tars)}, ranks "
        f"{(mine == ranks).mean():.4%} equal",
        "FAISS IndexFlatIP: nearest distractor only": "first ranks "
        f"{((mine == 1) == (own > first[-1][a])).mean():.4%} equal",
    }
    base = median(seconds["clmle: all FARs, all ranks at 5 sizes"])
    return [
        {"method": name, "pairs": f"{len(x) * n:,}", "seconds": round(median(times), 2),
         "times as slow": round(median(times) / base, 2), "agrees": agree.get(name, "")}
        for name, times in seconds.items()
    ]  # fmt: skip


def _equal(ours: list[dict], theirs: list[dict]) -> str:
    same = sum(a["tar"] == b["tar"] for a, b in zip(ours, theirs, strict=True))
    return f"{same} of {len(ours)} equal"


def says_streaming(tables: Tables, limits: Mapping[str, float]) -> str:
    last = tables[""][-1]
    return (
        f"Of {last['distractors']:,} distractors the pass runs at "
        f"{number(last['share of its rate']):.2f} of the rate of its product alone, which bounds "
        "it; the rest is bucket numbers of all similarities, counting them, and picking those that "
        "matter, which the cache of a core bounds. Fixed costs (sampling, ranks at each size, "
        "intervals) weigh more on fewer distractors. Reading the distractors once is "
        f"{last['distractors'] * DIM * 4 / 1e9 / limits['memory, GB/s']:.1f} s at the bandwidth "
        "above."
    )


def says_peers(tables: Tables, limits: Mapping[str, float]) -> str:
    rows = tables[""]
    pairs = number(rows[0]["pairs"])
    product = 2 * pairs * DIM / 1e9 / limits["product, GFLOP/s"]
    return (
        f"The product of all pairs is {product:.1f} s at the rate above and bounds all three; "
        "numpy sorts every similarity besides and holds them all, FAISS looks for the largest only "
        "and gives neither a rate of false accepts nor a rank beyond the first."
    )


STREAMING = Comparison(
    "verification",
    "Exact verification and identification in one pass",
    streaming,
    f"{PEOPLE * EACH:,} probes ({PEOPLE} people of {EACH} images) against distractors in a "
    f"memory-mapped file, {DIM} numbers of float32: TAR at FAR 1e-1 to 1e-6, and the rank of every "
    "mate at each number of distractors, all exact. The product alone runs in the same tiles and "
    "threads, between the blocks of the same pass.",
    says_streaming,
    gpu="the same pass on it",
)
PEERS = Comparison(
    "verification-peers",
    "The same figures by peers",
    against_peers,
    "Medians of three turns.",
    says_peers,
)

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--write", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.write:
        distractors(int(arguments.write[0]), Path(arguments.write[1]) / "d.npy")
    elif arguments.one:
        _one(arguments.one)
    else:
        print_rows("Exact verification in one pass", streaming(arguments.quick))
        print_rows("The same figures by peers", against_peers(arguments.quick))
