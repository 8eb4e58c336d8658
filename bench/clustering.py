"""Balanced spherical k-means against k-means-constrained, and its growth with n."""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from statistics import median

import numpy as np

from bench.report import print_rows
from clmle import balanced_spherical_kmeans


def features(n: int, d: int, kind: str, seed: int) -> np.ndarray:
    """Unit rows: n / 150 "modes", 40 "uneven" ones, "flat" on 8 axes, or "none" at all."""
    rng = np.random.default_rng(seed)
    if kind == "modes":
        centres = rng.normal(size=(max(2, n // 150), d))
        x = centres[rng.integers(len(centres), size=n)] + 0.9 * rng.normal(size=(n, d))
    elif kind == "uneven":
        centres = rng.normal(size=(40, d))
        shares = rng.dirichlet(np.full(40, 1.0))
        x = centres[rng.choice(40, size=n, p=shares)] + 1.2 * rng.normal(size=(n, d))
    elif kind == "flat":
        x = rng.normal(size=(n, 8)) @ rng.normal(size=(8, d)) + 0.3 * rng.normal(size=(n, d))
    else:
        x = rng.normal(size=(n, d))
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)


def objective(x: np.ndarray, labels: np.ndarray, k: int) -> float:
    """Mean f.mu with mu the normalised mean of each cluster."""
    sums = np.zeros((k, x.shape[1]))
    np.add.at(sums, labels, x)
    return float(np.linalg.norm(sums, axis=1).sum() / len(x))


def against_constrained(quick: bool) -> list[dict]:
    """Seconds (medians) and objective at n = 8,000, d = 64, K = 40, at most 15 iterations each."""
    import faiss
    from k_means_constrained import KMeansConstrained

    rows = []
    n, d, k = 8000, 64, 40
    for kind in ("modes", "flat", "none", "uneven"):
        ours, theirs, ratio, free = [], [], [], []
        for seed in range(1 if quick else 3):
            x = features(n, d, kind, seed)
            balanced_spherical_kmeans(x, 200, seed=seed)
            times = []
            for _ in range(5):
                start = time.perf_counter()
                got = balanced_spherical_kmeans(x, 200, seed=seed)
                times.append(time.perf_counter() - start)
            ours.append(median(times))
            start = time.perf_counter()
            peer = KMeansConstrained(
                k, size_min=n // k, size_max=n // k, n_init=1, max_iter=15, random_state=seed
            ).fit(x)
            theirs.append(time.perf_counter() - start)
            ratio.append(got.objective / objective(x, peer.labels_, k))
            unbounded = faiss.Kmeans(d, k, niter=10, spherical=True, seed=seed + 1)
            unbounded.train(x)
            free.append(got.objective / float(unbounded.index.search(x, 1)[0].mean()))
        rows.append(
            {
                "data": kind,
                "n": n,
                "K": k,
                "clmle s": round(median(ours), 3),
                "k-means-constrained s": round(median(theirs), 2),
                "times faster": round(median(b / a for a, b in zip(ours, theirs, strict=True)), 1),
                "objective / k-means-constrained": round(median(ratio), 4),
                "objective / FAISS without sizes": round(median(free), 4),
            }
        )
    return rows


def growth(quick: bool) -> list[dict]:
    """Seconds and peak memory of fresh processes over n at cluster size 200, and the exponent."""
    sizes = [10_000, 20_000, 40_000] if quick else [10_000, 20_000, 40_000, 80_000, 162_770]
    rows: list[dict] = []
    for n in sizes:
        done = subprocess.run(
            [sys.executable, "-m", "bench.clustering", "--one", str(n)],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        seconds, warm, megabytes, value = map(float, done.stdout.split())
        rows.append({"n": n, "K": n // 200, "seconds": seconds, "warm start s": warm,
                     "peak MB": round(megabytes), "objective": value})  # fmt: skip
    logs = np.log([[row["n"], row["seconds"]] for row in rows])
    exponent = float(np.polyfit(logs[:, 0], logs[:, 1], 1)[0])
    for row in rows:
        row["growth exponent"] = round(exponent, 2) if row is rows[-1] else ""
    return rows


def run(quick: bool = False) -> list[dict]:
    return against_constrained(quick)


def _one(n: int) -> None:
    x = features(n, 64, "flat", 0)
    balanced_spherical_kmeans(x[:2000], 200)
    start = time.perf_counter()
    got = balanced_spherical_kmeans(x, 200)
    seconds = time.perf_counter() - start
    peak = _peak_megabytes()
    start = time.perf_counter()
    balanced_spherical_kmeans(x, 200, init=got.centroids)
    warm = time.perf_counter() - start
    print(round(seconds, 3), round(warm, 3), peak, round(got.objective, 4))


def _peak_megabytes() -> float:
    """Largest resident memory of this process (the kernel's own count starts at its parent's)."""
    with open("/proc/self/status", encoding="utf-8") as file:
        return next(int(line.split()[1]) / 1024 for line in file if line.startswith("VmHWM"))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        _one(arguments.one)
    else:
        print_rows("Balanced clustering against peers", against_constrained(arguments.quick))
        print_rows("Balanced clustering as n grows", growth(arguments.quick))
