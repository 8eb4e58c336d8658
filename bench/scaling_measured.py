"""What a part of the method costs at one size: seconds or memory, and what they grow with.

Seconds are processor time of this process, so other work on the machine counts little. Features
are synthetic unit vectors without any structure: the balanced clustering then exchanges for as
many rounds as it may, which is its dearest case.
"""

from __future__ import annotations

import multiprocessing
import time
import tracemalloc
from collections.abc import Callable
from math import log2
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch

from bench.identities import leaf
from clmle.cluster_index import AT_ONCE, ClusterIndex
from clmle.clustering import balanced_spherical_kmeans
from clmle.losses.retrieved import retrieved_margin_loss
from clmle.samplers.cluster import ClusterSampler
from clmle.samplers.hard_cluster import HardClusterSampler

DIM = 512  # of the paper's features
CLUSTER = 200  # of the paper
BATCH = 240  # of the paper
REPEATS = 5

Counted = tuple[tuple[float, ...], float]  # what a figure grows with, and the figure


def seconds(work: Callable[[], Any]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def median_ms(work: Callable[[], Any]) -> float:
    work()
    return 1000 * median(seconds(work) for _ in range(REPEATS))


def quickest(work: Callable[[], Any], n: int) -> float:
    """Seconds; of two runs the better, where one does not take long."""
    return min(seconds(work) for _ in range(2 if n <= 100_000 else 1))


def unit(n: int, dim: int = DIM) -> np.ndarray:
    features = np.random.default_rng(0).standard_normal((n, dim), dtype=np.float32)
    for start in range(0, n, 1000):  # in place: what is measured is not the making of them
        part = features[start : start + 1000]
        part /= np.linalg.norm(part, axis=1, keepdims=True)
    return features


def index_of(classes: int, each: int, dim: int = DIM) -> tuple[ClusterIndex, np.ndarray]:
    """An index of classes of one cluster, not yet found, and unit vectors."""
    labels = np.repeat(np.arange(classes), each)
    return ClusterIndex.empty(labels, dim), unit(len(labels), dim)


def index_with_centroids(k: int, dim: int = DIM) -> ClusterIndex:
    index, features = index_of(k, 1, dim)
    index.refresh(features, warm=False)
    index.record(np.arange(k), np.random.default_rng(0).random(k))
    return index


# --- clusters -------------------------------------------------------------------------------


def one_cluster_each(classes: int, each: int) -> Counted:
    """All classes of one cluster are gathered anew, whether for the first time or not."""
    index, features = index_of(classes, each)
    return (classes, classes * each), quickest(lambda: index.refresh(features), classes * each)


def found(n: int, k: int) -> Counted:
    """The n images of a class are divided for the first time; up to 40 clusters in one go."""
    features = unit(n)
    work = lambda: balanced_spherical_kmeans(features, n_clusters=k)  # noqa: E731
    return (1, n, n * k, k * k), quickest(work, n)


def renewed(rounds: int, n: int, k: int) -> Counted:
    """A class is divided from given centroids; beyond 40 clusters images look at neighbors.

    They are compared with all clusters once.
    """
    features = unit(n)
    start = features[:: n // k][:k]

    def work() -> None:
        balanced_spherical_kmeans(features, n_clusters=k, init=start, max_iter=rounds)

    return (1, n, n * k), quickest(work, n)


def renewed_many(rounds: int, n: int, k: int) -> Counted:
    """So many clusters that what does not grow is lost among the rest."""
    (_, *counts), value = renewed(rounds, n, k)
    return tuple(counts), value


# --- batches, Eq. 9 and the search ----------------------------------------------------------


def neighborhood(k: int) -> Counted:
    rng, sampler = np.random.default_rng(0), ClusterSampler(index_with_centroids(k))
    return (1, k), median_ms(lambda: sampler.draw(rng))


def spread(k: int) -> Counted:
    # A draw looks at no feature; the classes taken are found by bisection.
    index = index_with_centroids(k, 8)
    rng, sampler = np.random.default_rng(0), HardClusterSampler(index, BATCH)
    return (1, log2(k)), median_ms(lambda: [sampler.draw(rng) for _ in range(20)]) / 20


def among_all(k: int) -> Counted:
    """Eq. 9 of a batch with all clusters, forward and back."""
    centroids, labels = torch.from_numpy(unit(k)), torch.arange(k)
    rows = np.ascontiguousarray(centroids[:BATCH].numpy())

    def work() -> None:
        retrieved_margin_loss(leaf(rows), labels[:BATCH], centroids, labels, 0.3).mean().backward()

    return (1, k), median_ms(work)


def searched(k: int) -> Counted:
    """The clusters nearest to a batch (Eq. 10), exact, by FAISS."""
    import faiss

    faiss.omp_set_num_threads(torch.get_num_threads())
    features = unit(k)
    index = faiss.IndexFlatIP(DIM)
    index.add(features)
    return (1, k), median_ms(lambda: index.search(features[:BATCH], 12))


# --- memory ---------------------------------------------------------------------------------


def gathered_memory(classes: int, each: int) -> Counted:
    """MB allocated at the highest beside what stays, while classes of one cluster are gathered."""
    index, features = index_of(classes, each)
    tracemalloc.start()
    index.refresh(features, warm=False)
    stays, highest = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return gathered_counts(classes, each), (highest - stays) / 2**20


def gathered_counts(classes: float, each: float) -> tuple[float, ...]:
    """Lists of classes, orders of images, and the rows of features that are gathered at once."""
    at_once = min(classes, AT_ONCE)
    return classes, classes * each, at_once * (each + 2) * DIM


def divided_memory(n: int) -> Counted:
    return (n,), in_own_process(_divided_memory, n)


def _divided_memory(n: int) -> float:
    """MB of this process's peak above the features themselves, which are cut out of all."""
    balanced_spherical_kmeans(unit(100), CLUSTER)  # libraries load
    features, rows = unit(n), np.arange(n)
    before = memory_now("VmRSS")
    balanced_spherical_kmeans(features[rows], CLUSTER, max_iter=2)
    return memory_now("VmHWM") - before


def memory_now(line: str) -> float:
    """MB of this process: VmRSS now, VmHWM at the highest so far.

    (The peak that getrusage gives is inherited from the process that started this one.)
    """
    status = Path("/proc/self/status").read_text()
    return int(status.split(f"{line}:")[1].split()[0]) / 1024


def in_own_process(work: Callable[..., Any], *given: Any) -> Any:
    """``work`` with a peak of memory of its own, on one thread."""
    with multiprocessing.get_context("spawn").Pool(1, torch.set_num_threads, (1,)) as pool:
        return pool.apply(work, given)
