"""The nearest-cluster rule against exact nearest neighbours over all training vectors."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from statistics import median

import numpy as np

from bench.report import print_rows
from clmle import NearestClusterClassifier


def run(quick: bool = False) -> list[dict]:
    """Seconds per 1,000 queries of both, medians over runs in turn; and the KD-tree."""
    import faiss

    n, d, n_queries = (100_000 if quick else 1_000_000), 128, 1000
    rng = np.random.default_rng(0)
    modes = rng.normal(size=(400, d)).astype(np.float32)
    y = rng.integers(10, size=n)
    X = modes[y * 40 + rng.integers(40, size=n)] + rng.normal(size=(n, d)).astype(np.float32)
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    queries = X[rng.integers(n, size=n_queries)]
    start = time.perf_counter()
    model = NearestClusterClassifier(cluster_size=200, random_state=0).fit(X, y)
    fit_seconds = time.perf_counter() - start
    exact = faiss.IndexFlatIP(d)
    exact.add(X)
    contenders = {
        "clusters": lambda: model.predict(queries),
        "exact k-NN": lambda: exact.search(queries, model.n_neighbors),
        "KD-tree over clusters": _kd_tree(model.centroids_, queries, model.n_neighbors),
    }
    seconds = time_in_turn(contenders, repeats=3)
    return [
        {
            "n": n,
            "d": d,
            "clusters": len(model.centroids_),
            "method": name,
            "ms per query": round(1000 * median(times) / n_queries, 4),
            "times as slow as clusters": round(median(times) / median(seconds["clusters"]), 1),
            "fit seconds": round(fit_seconds, 1) if name == "clusters" else "",
        }
        for name, times in seconds.items()
    ]


def time_in_turn(contenders: dict[str, Callable], repeats: int) -> dict[str, list[float]]:
    """Seconds of every contender, taken in turn so that noise falls on all alike."""
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for work in contenders.values():
        work()
    for _ in range(repeats):
        for name, work in contenders.items():
            start = time.perf_counter()
            work()
            seconds[name].append(time.perf_counter() - start)
    return seconds


def _kd_tree(centroids: np.ndarray, queries: np.ndarray, n: int) -> Callable:
    """Largest inner product as smallest distance: one more coordinate makes norms equal."""
    from scipy.spatial import cKDTree

    squared = (centroids**2).sum(axis=1)
    extra = np.sqrt(np.maximum(squared.max() - squared, 0))
    tree = cKDTree(np.column_stack([centroids, extra]))
    augmented = np.column_stack([queries, np.zeros(len(queries))])
    return lambda: tree.query(augmented, k=n, workers=-1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    print_rows("Nearest-cluster rule", run(parser.parse_args().quick))
