"""Exact nearest rows by inner product, with FAISS where it is installed and PyTorch otherwise."""

import numpy as np
import torch

BLOCK = 2**24  # inner products at a time


def nearest_rows(queries: np.ndarray, rows: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Inner products and indices of the ``n`` nearest ``rows``, nearest first, (m, n) each.

    ``queries`` is (m, d) and ``rows`` is (k, d).
    """
    # Plain arrays: FAISS's PyTorch bridge, where a package has loaded it, refuses memory maps.
    queries, rows = np.asarray(queries), np.asarray(rows)
    try:
        import faiss
    except ImportError:
        return _by_torch(queries, rows, n)
    return faiss.knn(queries, rows, n, metric=faiss.METRIC_INNER_PRODUCT)


def nearest_others(points: np.ndarray, n: int) -> np.ndarray:
    """Indices (m, n) of the ``n`` rows nearest to each of the ``points`` (m, d), without itself."""
    centered = np.asarray(points - points.mean(axis=0), dtype=np.float32)
    half = -0.5 * (centered**2).sum(axis=1, keepdims=True)  # x y - y y / 2 orders by distance
    rows, queries = np.hstack([centered, half]), np.hstack([centered, np.ones_like(half)])
    near = nearest_rows(queries, rows, n + 1)[1]
    itself = near == np.arange(len(points))[:, None]
    itself[~itself.any(axis=1), -1] = True  # among many copies of it
    return np.asarray(near[~itself]).reshape(len(points), n)


def _by_torch(queries: np.ndarray, rows: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    similarity = np.empty((len(queries), n), dtype=np.float32)
    near = np.empty((len(queries), n), dtype=np.int64)
    among = torch.tensor(rows).T
    step = max(1, BLOCK // len(rows))
    for part in (slice(start, start + step) for start in range(0, len(queries), step)):
        best = (torch.tensor(queries[part]) @ among).topk(n)
        similarity[part], near[part] = best.values.numpy(), best.indices.numpy()
    return similarity, near
