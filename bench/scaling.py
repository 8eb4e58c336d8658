"""Scaling on paper: a small model of memory, traffic and time, and points that it must foretell.

The constants are measured on small sets of synthetic unit vectors; the model made of them is
compared with larger sets, then asked about sets that no machine at hand could hold. At the end the
samplers draw from ten million classes, in fact.
"""

from __future__ import annotations

import argparse
import multiprocessing
import time
import tracemalloc
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from scipy.optimize import nnls

from bench.identities import REPEATS, identities, leaf
from bench.report import print_rows
from clmle.batches import ClusterBatchSampler
from clmle.clustering import balanced_spherical_kmeans
from clmle.index import ClusterIndex
from clmle.losses.local import local_margin_loss
from clmle.shared_index import SharedIndex
from clmle.spread_batches import SpreadBatchSampler

DIM = 512  # of the paper's features
CLUSTER = 200  # of the paper
BATCH = 240  # of the paper
HOST = 256  # GB of memory of the machine on paper
PROCESSES = 8
SMALL, LARGE = (10_000, 20_000, 40_000), (200_000,)  # classes of one cluster, or clusters
ONE_CLASS, ONE_LARGE = (4_000, 8_000, 16_000, 32_000), (100_000,)
IMAGES = [10**e for e in range(5, 10)]
CLASSES = [10**e for e in range(2, 8)]

Counted = tuple[tuple[float, ...], float]  # what a figure grows with, and the figure


class Model:
    """Constants times counts: of images n, classes C, clusters K."""

    def __init__(self, quick: bool = False) -> None:
        self.rows: list[dict[str, Any]] = []
        part = 10 if quick else 1
        small, large = ([n // part for n in sizes] for sizes in (SMALL, LARGE))
        one, one_large = ([n // part for n in sizes] for sizes in (ONE_CLASS, ONE_LARGE))
        fit = self.fit
        # A class has a cost of its own, and so has an image.
        mixed = [(c, m) for c in small for m in (1, 8)]
        alone = [(c, m) for c in large for m in (3,)]
        self.alone, self.divided = {}, {}
        for name in ("first", "renewed"):
            self.alone[name] = fit(
                f"classes of one cluster, {name}, s",
                partial(timed_refresh, name == "renewed"),
                mixed,
                alone,
            )
            # Every image beside its own neighbours, then beside all K = n / 200 clusters once.
            self.divided[name] = fit(
                f"one class of n images in n / 200 clusters, {name}, s",
                partial(timed_clustering, name == "renewed"),
                [(n,) for n in one],
                [(n,) for n in one_large],
            )
        points, beyond = [(k,) for k in small], [(k,) for k in large]
        self.neighbours = fit("batch of one neighbourhood, ms", timed_neighbours, points, beyond)
        self.spread = fit("spread batch, ms", timed_spread, points, [(10 * k,) for (k,) in beyond])
        self.among = fit("Eq. 9 among all clusters, ms", timed_loss, points, beyond)
        self.faiss = fit("FAISS, a batch among K clusters, ms", timed_faiss, points, beyond)
        self.passing = fit(
            "memory beside the index while classes of one cluster are gathered, MB",
            lambda c, m: ((c, c * m), passing_memory(c, m)),
            mixed,
            alone,
        )
        self.dividing = fit(
            "memory while one class of n images is divided, MB",
            lambda n: ((n,), in_own_process(dividing_memory, n)),
            [(n,) for n in ONE_CLASS[1:3]],  # fewer would not show in a process's peak
            [(n,) for n in (ONE_CLASS[3:] if quick else ONE_LARGE)],
        )

    def fit(
        self,
        name: str,
        measure: Callable[..., Counted],
        small: Sequence[tuple[int, ...]],
        large: Sequence[tuple[int, ...]],
    ) -> np.ndarray:
        """Constants (none negative) from small sets; the larger ones are foretold and measured."""
        found = [measure(*point) for point in small]
        counts, values = (np.array(part, dtype=float) for part in zip(*found, strict=True))
        constants, _ = nnls(counts / values[:, None], np.ones(len(values)))  # relative errors
        for point in large:
            counts_there, value = measure(*point)
            foretold = float(np.dot(constants, counts_there))
            self.rows.append(
                {
                    "what": name,
                    "constants": ", ".join(f"{c:.3g}" for c in constants),
                    "at": " x ".join(f"{p:,}" for p in point),
                    "foretold": f"{foretold:.3g}",
                    "measured": f"{value:.3g}",
                    "foretold / measured": f"{foretold / value:.2f}",
                }
            )
        return constants

    def refresh(self, n: int, c: int, name: str) -> float:
        """Seconds of one process for ``c`` classes of n / c images each."""
        if clusters(n, c) == c:
            return float(np.dot(self.alone[name], (c, n)))
        return c * float(np.dot(self.divided[name], (n / c, (n / c) ** 2)))

    def beside(self, n: int, c: int) -> float:
        """Bytes that a refresh needs for itself, for a while."""
        counts, constants = (c, n), self.passing
        if clusters(n, c) > c:
            counts, constants = (n / c,), self.dividing  # type: ignore[assignment]
        return float(np.dot(constants, counts)) * 2**20


def seconds(work: Callable[[], Any]) -> float:
    """Processor time of this process: other work on the machine does not count."""
    start = time.process_time()
    work()
    return time.process_time() - start


def median_ms(work: Callable[[], Any]) -> float:
    work()
    return 1000 * median(seconds(work) for _ in range(REPEATS))


# --- what is measured -----------------------------------------------------------------------


def index_of(classes: int, each: int, dim: int = DIM) -> tuple[ClusterIndex, np.ndarray]:
    """An index of classes of one cluster, not yet found, and unit vectors."""
    labels = np.repeat(np.arange(classes), each)
    features = unit(len(labels), dim)
    return ClusterIndex.empty(labels, dim), features


def unit(n: int, dim: int = DIM) -> np.ndarray:
    features = np.random.default_rng(0).standard_normal((n, dim), dtype=np.float32)
    for start in range(0, n, 1000):  # in place: what is measured is not the making of them
        part = features[start : start + 1000]
        part /= np.linalg.norm(part, axis=1, keepdims=True)
    return features


def timed_refresh(warm: bool, classes: int, each: int) -> Counted:
    index, features = index_of(classes, each)
    value = min(seconds(lambda: index.refresh(features, warm=warm)) for _ in range(2))
    return (classes, classes * each), value


def timed_clustering(warm: bool, n: int) -> Counted:
    features = unit(n)
    k = max(1, n // CLUSTER)
    start = features[:: n // k][:k] if warm else None

    def work() -> None:
        balanced_spherical_kmeans(features, n_clusters=k, init=start, max_iter=3 if warm else 15)

    return (n, n * n), min(seconds(work) for _ in range(2))


def index_with_centroids(k: int, dim: int = DIM) -> tuple[ClusterIndex, np.ndarray]:
    index, features = index_of(k, 1, dim)
    index.refresh(features, warm=False)
    index.record(np.arange(k), np.random.default_rng(0).random(k))
    return index, features


def timed_neighbours(k: int) -> Counted:
    index, _ = index_with_centroids(k)
    rng, sampler = np.random.default_rng(0), ClusterBatchSampler(index)
    return (1, k), median_ms(lambda: sampler.draw(rng))


def timed_spread(k: int) -> Counted:
    index, _ = index_with_centroids(k, 8)  # a draw looks at no feature
    rng, sampler = np.random.default_rng(0), SpreadBatchSampler(index, BATCH)
    return (1, 0), median_ms(lambda: sampler.draw(rng))  # whatever k is


def timed_loss(k: int) -> Counted:
    centroids, labels = torch.from_numpy(unit(k)), torch.arange(k)
    rows = np.ascontiguousarray(centroids[:BATCH].numpy())

    def work() -> None:
        local_margin_loss(leaf(rows), labels[:BATCH], centroids, labels, 0.3).mean().backward()

    return (1, k), median_ms(work)


def timed_faiss(k: int) -> Counted:
    import faiss

    faiss.omp_set_num_threads(torch.get_num_threads())
    features = unit(k)
    index = faiss.IndexFlatIP(DIM)
    index.add(features)
    return (1, k), median_ms(lambda: index.search(features[:BATCH], 12))


def passing_memory(classes: int, each: int) -> float:
    """MB allocated at the highest beside what stays, while classes are clustered."""
    index, features = index_of(classes, each, 8)
    tracemalloc.start()
    index.refresh(features, warm=False)
    stays, highest = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return (highest - stays) / 2**20


def dividing_memory(n: int) -> float:
    """MB of this process's peak above the features themselves, which are cut out of all."""
    balanced_spherical_kmeans(unit(100), CLUSTER)  # libraries load
    features, rows = unit(n), np.arange(n)
    before = memory_now("VmRSS")
    balanced_spherical_kmeans(features[rows], CLUSTER)
    return memory_now("VmHWM") - before


def memory_now(line: str) -> float:
    """MB of this process: VmRSS now, VmHWM at the highest so far.

    (The peak that getrusage gives is inherited from the process that started this one.)
    """
    status = Path("/proc/self/status").read_text()
    return int(status.split(f"{line}:")[1].split()[0]) / 1024


def in_own_process(work: Callable[..., Any], *given: Any) -> Any:
    """``work`` with a peak of memory of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(work, given)


# --- what is counted ------------------------------------------------------------------------


def clusters(n: int, c: int) -> int:
    return c * max(1, n // c // CLUSTER)


def index_bytes(n: int, c: int, k: int, dim: int = DIM) -> int:
    """Labels, assignment, losses and two orders of images; centroids, classes and starts of
    clusters; starts of classes and their list."""
    return 5 * 8 * n + (4 * dim + 2 * 8) * k + 2 * 8 * c + 2 * 8


def told_bytes(n: int, k: int, dim: int = DIM) -> int:
    """What all processes tell the others of a refresh: assignments and centroids by number."""
    return 16 * n + (4 * dim + 8) * k


def step_bytes(batch: int, dim: int = DIM) -> int:
    """What is told of a step: losses by row; for moving centroids, features by cluster."""
    return 16 * batch + (4 * dim + 8) * batch + 8


def counted(classes: int, each: int) -> list[dict[str, Any]]:
    """The formulas above beside the arrays that are there."""
    index, features = index_of(classes, each)
    index.refresh(features, warm=False)
    _ = index.present
    arrays = [v for v in vars(index).values() if isinstance(v, np.ndarray)]
    held = sum(a.nbytes for a in (*arrays, *index._by_class))
    shared = SharedIndex.of(ClusterIndex.empty(index.labels, DIM), 0, 1)
    shared.refresh(features, warm=False)
    refreshed = sum(a.nbytes for a in shared.told().values())
    rows = np.arange(BATCH)
    shared.record(rows, np.ones(BATCH))
    shared.move(rows, features[:BATCH], 0.9)
    step = sum(a.nbytes for a in shared.told().values())
    n, k = len(index.labels), index.n_clusters
    return [
        {"what": what, "by formula": f"{a:,}", "counted": f"{b:,}", "same": a == b}
        for what, a, b in (
            ("index, bytes", index_bytes(n, classes, k), held),
            ("told of a refresh, bytes", told_bytes(n, k), refreshed),
            ("told of a step, bytes", step_bytes(BATCH), step),
        )
    ]


# --- the tables -----------------------------------------------------------------------------


def grid() -> list[tuple[int, int, int]]:
    return [(n, c, clusters(n, c)) for n in IMAGES for c in CLASSES if c <= n]


def memory(model: Model) -> list[dict[str, Any]]:
    rows = []
    for n, c, k in grid():
        features, index = 4 * DIM * n, index_bytes(n, c, k)
        passing = model.beside(n, c)
        process = features + index + passing
        rows.append(
            {
                **names(n, c, k),
                "features": size(features),
                "index": size(index),
                "refresh, beside": size(passing),
                "one process": size(process),
                f"processes in {HOST} GB": int(HOST * 2**30 // process),
                "told of a refresh": size(told_bytes(n, k)),
                "features gathered": size(features),
                "read by a batch of one neighbourhood": size(4 * DIM * k),
                "softmax weights, gradient, momentum": size(3 * 4 * DIM * c),
            }
        )
    return rows


def times(model: Model) -> list[dict[str, Any]]:
    rows = []
    for n, c, k in grid():
        first, again = (model.refresh(n, c, name) for name in ("first", "renewed"))
        # A class is clustered by one process.
        longest = max(first / PROCESSES, first / c)
        of_batch = {
            "batch of one neighbourhood": model.neighbours,
            "spread batch": model.spread,
            "Eq. 9 among all": model.among,
            "FAISS among all": model.faiss,
        }
        rows.append(
            {
                **names(n, c, k),
                "first clusters": duration(first),
                "refresh": duration(again),
                f"first, {PROCESSES} processes": duration(longest),
                **{
                    what: duration(float(np.dot(constants, (1, k))) / 1000)
                    for what, constants in of_batch.items()
                },
            }
        )
    return rows


def ends(model: Model) -> list[dict[str, Any]]:
    """Where each part ends on one machine, by the model, and what comes after."""

    def most(constants: np.ndarray, ms: float) -> str:
        return f"{(ms - constants[0]) / max(constants[1], 1e-12):,.0f} clusters"

    tens = 10**7
    shards = float(np.dot(model.faiss, (0, tens))) / 100
    an_image = 4 * DIM + 5 * 8
    return [
        {"part": part, "ends at": end}
        for part, end in (
            (f"features and index of images in {HOST} GB", f"{HOST * 2**30 // an_image:,} images"),
            (f"{PROCESSES} processes of one machine, each with all of them",
             f"{HOST * 2**30 // an_image // PROCESSES:,} images"),
            (f"softmax weights of {DIM} dimensions, gradient and momentum, in 80 GB",
             f"{80 * 2**30 // (12 * DIM):,} classes"),
            ("batch of one neighbourhood within 100 ms", most(model.neighbours, 100)),
            ("Eq. 9 among all clusters within 100 ms", most(model.among, 100)),
            ("FAISS, a batch among all clusters, within 100 ms", most(model.faiss, 100)),
            (f"shards that search {tens:,} clusters within 100 ms", f"{shards:.0f}"),
            (f"memory of a shard of them, {DIM} dimensions",
             size(4 * DIM * tens / max(1.0, np.ceil(shards)))),
        )
    ]  # fmt: skip


def names(n: int, c: int, k: int) -> dict[str, str]:
    return {"images": f"{n:,}", "classes": f"{c:,}", "clusters": f"{k:,}"}


def size(count: float) -> str:
    for unit_name, one in (("TB", 2**40), ("GB", 2**30), ("MB", 2**20)):
        if count >= one or unit_name == "MB":
            return f"{count / one:.3g} {unit_name}"
    raise AssertionError


def duration(value: float) -> str:
    for unit_name, one in (
        ("years", 365 * 86400),
        ("days", 86400),
        ("h", 3600),
        ("min", 60),
        ("s", 1),
    ):
        if value >= one:
            return f"{value / one:.3g} {unit_name}"
    return f"{value * 1000:.3g} ms"


# --- ten million classes, in fact -----------------------------------------------------------


def simulation(people: int, images: int, dim: int = 8, draws: int = 2000) -> list[dict[str, Any]]:
    """An index of ``people`` classes of log-normal sizes, and batches drawn from it."""
    rng = np.random.default_rng(0)
    labels = identities(people, images, rng)
    features = rng.standard_normal((len(labels), dim), dtype=np.float32)
    for start in range(0, len(labels), 10**6):
        part = features[start : start + 10**6]
        part /= np.linalg.norm(part, axis=1, keepdims=True)
    index = ClusterIndex.empty(labels, dim)
    first = seconds(lambda: index.refresh(features, warm=False))
    again = seconds(lambda: index.refresh(features))
    index.record(np.arange(len(labels)), rng.random(len(labels)))
    printed, spread = ClusterBatchSampler(index), SpreadBatchSampler(index, BATCH)
    starts = [seconds(lambda: printed.draw(rng)), seconds(lambda: spread.draw(rng))]
    near = median_ms(lambda: printed.draw(rng))
    drawn: list[np.ndarray] = []
    each = (
        1000 / draws * seconds(lambda: drawn.extend(labels[spread.draw(rng)] for _ in range(draws)))
    )
    seen = len(np.unique(np.concatenate(drawn)))
    rate = np.minimum(1.0, spread.class_shares() * BATCH)  # how often a batch has a class
    expected = float((1 - (1 - rate) ** draws).sum())
    held = index_bytes(len(labels), people, index.n_clusters, dim)
    figures = {
        "classes": f"{people:,}",
        "images": f"{len(labels):,}",
        "clusters": f"{index.n_clusters:,}",
        "dimensions": dim,
        "index by formula": size(held),
        "first clusters, s": f"{first:.1f}",
        "refresh, s": f"{again:.1f}",
        "first batch of one neighbourhood, ms": f"{1000 * starts[0]:.0f}",
        "further ones, ms": f"{near:.1f}",
        "first spread batch, ms": f"{1000 * starts[1]:.0f}",
        "further ones of them, ms": f"{each:.1f}",
        f"classes seen in {draws:,} spread batches": f"{seen:,}",
        "expected of independent batches": f"{expected:,.0f}",
        "steps until each class has come once, on average": f"{1 / rate[rate > 0].min():,.0f}",
        "peak of the process, GB": f"{memory_now('VmHWM') / 1024:.1f}",
    }
    return [{"what": what, "figure": figure} for what, figure in figures.items()]


def main(quick: bool) -> None:
    torch.set_num_threads(1)
    model = Model(quick)
    print_rows("Foretold and measured", model.rows)
    print_rows("Counted", counted(1000 if quick else 20_000, 3))
    print_rows(f"Memory and traffic, d = {DIM}", memory(model))
    print_rows(f"Time on one thread a process, d = {DIM}", times(model))
    print_rows("Where one machine ends", ends(model))
    people = 10**5 if quick else 10**7
    print_rows("The sampler, in fact", in_own_process(simulation, people, 3 * people))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    main(parser.parse_args().quick)
