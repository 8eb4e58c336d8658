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


def _by_torch(queries: np.ndarray, rows: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    similarity = np.empty((len(queries), n), dtype=np.float32)
    near = np.empty((len(queries), n), dtype=np.int64)
    among = torch.tensor(rows).T
    step = max(1, BLOCK // len(rows))
    for part in (slice(start, start + step) for start in range(0, len(queries), step)):
        best = (torch.tensor(queries[part]) @ among).topk(n)
        similarity[part], near[part] = best.values.numpy(), best.indices.numpy()
    return similarity, near
