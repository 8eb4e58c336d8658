"""Processor seconds or memory of the parts of the method at one size.

Processor time of this process depends little on other work on the machine. The features are
synthetic unit vectors without structure: the balanced clustering then uses all its iterations, its
most expensive case.
"""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np
import torch

from bench.comparison import fresh_process
from bench.core.identities import NEAREST, leaf
from bench.machine import memory_mb
from clmle.cluster_index import ClusterIndex
from clmle.clustering import balanced_spherical_kmeans
from clmle.losses import clmle_loss
from clmle.samplers.cluster import ClusterSampler
from clmle.samplers.hard_cluster import HardClusterSampler

DIM, CLUSTER, BATCH = 512, 200, 240  # features, images of a cluster and of a batch, as in the paper
REPEATS = 5


def seconds(work: Callable[[], Any], repeats: int = 1) -> float:
    """The smallest processor time of some calls."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def median_ms(work: Callable[[], Any]) -> float:
    work()
    return 1000 * median(seconds(work) for _ in range(REPEATS))


def unit(n: int, dim: int = DIM) -> np.ndarray:
    """Unit rows (n, dim), normalized in place."""
    features = np.random.default_rng(0).standard_normal((n, dim), dtype=np.float32)
    for start in range(0, n, 1000):
        part = features[start : start + 1000]
        part /= np.linalg.norm(part, axis=1, keepdims=True)
    return features


def index_of(classes: int, each: int, dim: int = DIM) -> tuple[ClusterIndex, np.ndarray]:
    """An index of single-cluster classes before its first refresh, and features."""
    labels = np.repeat(np.arange(classes), each)
    return ClusterIndex.empty(labels, dim), unit(len(labels), dim)


def refreshed_index(k: int, dim: int = DIM) -> ClusterIndex:
    index, features = index_of(k, 1, dim)
    index.refresh(features, warm=False)
    index.record(np.arange(k), np.random.default_rng(0).random(k))
    return index


def gather(classes: int, each: int) -> float:
    """Seconds to refresh classes of one cluster."""
    index, features = index_of(classes, each)
    return seconds(lambda: index.refresh(features), 2 if classes * each <= 100_000 else 1)


def cluster(n: int, k: int, rounds: int | None = None) -> float:
    """Seconds to divide a class of n images: first clusters, or ``rounds`` from centroids."""
    features = unit(n)
    given: dict[str, Any] = {}
    if rounds:
        given = {"init": features[:: n // k][:k], "max_iter": rounds}
    work = lambda: balanced_spherical_kmeans(features, n_clusters=k, **given)  # noqa: E731
    return seconds(work, 2 if n <= 100_000 else 1)


def neighborhood_batch(k: int) -> float:
    """Milliseconds of a batch of :class:`ClusterSampler` among k clusters."""
    rng, sampler = np.random.default_rng(0), ClusterSampler(refreshed_index(k))
    return median_ms(lambda: sampler.draw(rng))


def hard_batch(k: int) -> float:
    """Milliseconds of a batch of :class:`HardClusterSampler`, which reads no feature."""
    rng, sampler = np.random.default_rng(0), HardClusterSampler(refreshed_index(k, 8), BATCH)
    return median_ms(lambda: [sampler.draw(rng) for _ in range(20)]) / 20


def loss_among_all(k: int) -> float:
    """Milliseconds of Eq. 9 of a batch with all clusters, forward and backward."""
    centroids, labels = torch.from_numpy(unit(k)), torch.arange(k)
    rows = np.ascontiguousarray(centroids[:BATCH].numpy())
    options = NEAREST | {"labels": labels[:BATCH], "centroids": centroids}

    def work() -> None:
        clmle_loss(leaf(rows), None, labels, 0.3, 0.0, **options).backward()

    return median_ms(work)


def search(k: int) -> float:
    """Milliseconds of an exact FAISS search of a batch among k clusters (Eq. 10)."""
    import faiss

    faiss.omp_set_num_threads(torch.get_num_threads())
    features = unit(k)
    index = faiss.IndexFlatIP(DIM)
    index.add(features)
    return median_ms(lambda: index.search(features[:BATCH], 12))


def gather_memory(classes: int, each: int) -> float:
    """Temporary MB while classes of one cluster are refreshed."""
    index, features = index_of(classes, each)
    tracemalloc.start()
    index.refresh(features, warm=False)
    stays, highest = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return (highest - stays) / 2**20


def cluster_memory(n: int) -> float:
    """Temporary MB while a class of n images is divided."""
    return float(fresh_process(_cluster_memory, n, threads=1))


def _cluster_memory(n: int) -> float:
    balanced_spherical_kmeans(unit(100), CLUSTER)  # loads the libraries
    features, rows = unit(n), np.arange(n)
    before = memory_mb("VmRSS")
    balanced_spherical_kmeans(features[rows], CLUSTER, max_iter=2)
    return memory_mb() - before
