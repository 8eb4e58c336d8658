"""How memory, traffic and time grow up to 10^9 images and 10^7 classes.

A cost model of a few non-negative constants is fitted to small sets and checked on larger ones that
took no part in the fit; then it extrapolates. The samplers draw from ten million classes in fact.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import ceil, log2
from typing import NamedTuple

import numpy as np
import torch
from scipy.optimize import nnls

from bench.comparison import Comparison, Rows, Tables, fresh_process
from bench.core import scaling_costs as costs
from bench.core.identities import identities
from bench.core.scaling_costs import BATCH, CLUSTER, DIM, median_ms, seconds
from bench.machine import memory_mb
from clmle.cluster_index import CLASSES_PER_BLOCK, ClusterIndex
from clmle.clustering import FLAT_CLUSTERS, GROUP_CLUSTERS
from clmle.samplers.cluster import ClusterSampler
from clmle.samplers.hard_cluster import HardClusterSampler

HOST = 256  # GB of memory of the machine in the tables
PROCESSES = 8
NETWORK = 10  # Gbit/s between machines
SIZES = [(n, c) for n in (10**5, 10**7, 10**9) for c in (10**2, 10**4, 10**7) if c <= n]
CHECK, MEMORY, TIME, LIMITS, SAMPLER = (
    "Predicted and measured (`n` images, `C` classes, `K` clusters; measured at n x K, C x images "
    "of a class, or K)",
    f"Memory and traffic, {DIM} dimensions",
    f"Time, one thread a process, {DIM} dimensions",
    "Limits of one machine",
    "Samplers with ten million classes, measured",
)
Point = tuple[int, ...]


class Cost(NamedTuple):
    """A measured cost, the terms it grows with, and the points of fit and check."""

    name: str
    terms: str
    counts: Callable[..., tuple[float, ...]]
    measure: Callable[..., float]
    small: Sequence[Point]  # larger than the cache of a processor
    large: Sequence[Point]


def gather_counts(classes: float, each: float) -> tuple[float, ...]:
    """Lists of classes, orders of images, and the numbers gathered at a time."""
    return classes, classes * each, min(classes, CLASSES_PER_BLOCK) * (each + 2) * DIM


FLAT = [(n, k) for n in (2_000, 8_000, 24_000) for k in (4, 12, 36)], [(60_000, 24)]
MANY = (
    [(10_000, 50), (20_000, 100), (40_000, 200), (80_000, 400)],
    [(120_000, 600), (300_000, 1_500)],
)
SINGLE = [(c, m) for c in (10_000, 20_000, 40_000) for m in (1, 8)], [(100_000, 5), (5_000, 100)]
AMONG = [(20_000,), (40_000,), (80_000,)], [(300_000,)]
SAMPLED = [(10_000,), (100_000,), (400_000,)], [(3_000_000,)]
linear: Callable[[int], tuple[float, ...]] = lambda k: (1, k)  # noqa: E731
COSTS = {
    "gather": Cost("refresh of single-cluster classes, s", "C, n", lambda c, m: (c, c * m),
                   costs.gather, *SINGLE),
    "first": Cost("first clusters of a class, up to 40, s", "1, n, nK, K^2",
                  lambda n, k: (1, n, n * k, k * k), costs.cluster, *FLAT),
    "refresh": Cost("refresh of a class, 3 iterations, up to 40 clusters, s", "1, n, nK",
                    lambda n, k: (1, n, n * k), partial(costs.cluster, rounds=3), *FLAT),
    "many 15": Cost("15 iterations from centroids, more clusters, s", "n, nK",
                    lambda n, k: (n, n * k), partial(costs.cluster, rounds=15), *MANY),
    "many 3": Cost("3 iterations from centroids, more clusters, s", "n, nK",
                   lambda n, k: (n, n * k), partial(costs.cluster, rounds=3), *MANY),
    "neighborhood": Cost("cluster-neighborhood batch, ms", "1, K", linear,
                         costs.neighborhood_batch, *AMONG),
    "hard": Cost("all-clusters batch, ms", "1, log2 K", lambda k: (1, log2(k)),
                 costs.hard_batch, *SAMPLED),
    "loss": Cost("Eq. 9 among all clusters, ms", "1, K", linear, costs.loss_among_all, *AMONG),
    "search": Cost("search of a batch among all clusters, ms", "1, K", linear, costs.search,
                   *AMONG),
    "gather memory": Cost("temporary memory, single-cluster classes, MB", "C, n, numbers at a time",
                          gather_counts, costs.gather_memory, SINGLE[0], [(50_000, 10)]),
    "cluster memory": Cost("temporary memory, one class, MB", "n", lambda n: (n,),
                           costs.cluster_memory, [(40_000,), (80_000,)], [(200_000,)]),
}  # fmt: skip


class Model:
    """Fitted constants, and the costs of n images, c classes, k clusters."""

    def __init__(self, quick: bool = False) -> None:
        self.rows: Rows = []
        self.constants: dict[str, np.ndarray] = {}
        for key, cost in COSTS.items():
            small, large = cost.small, cost.large
            if quick:  # fewer points where a smaller size would change the algorithm
                shrink = key not in ("many 15", "many 3", "cluster memory")
                small, large = (
                    [(p[0] // 10, *p[1:]) if shrink else p for p in points]
                    for points in (
                        (small, large) if shrink else (small[:2], small[2:3] or small[1:])
                    )
                )
            values = [cost.measure(*point) for point in small]
            scaled = np.array([cost.counts(*p) for p in small]) / np.array(values)[:, None]
            self.constants[key] = nnls(scaled, np.ones(len(values)))[0]  # least relative errors
            written = ", ".join(f"{c:.3g}" for c in self.constants[key])
            for point in large:
                self._compare(cost.name, f"{cost.terms}: {written}", point,
                              self.predict(key, *point), cost.measure(*point))  # fmt: skip
        for n, k in MANY[0][2:3] if quick else MANY[1]:
            self._compare("first clusters of a class, more clusters, s", "from the costs above",
                          (n, k), self.first(n, k), costs.cluster(n, k))  # fmt: skip

    def _compare(self, what: str, terms: str, at: Point, predicted: float, value: float) -> None:
        row = {
            "cost": what,
            "terms: constants": terms,
            "at": " x ".join(f"{p:,}" for p in at),
            "predicted": f"{predicted:.3g}",
            "measured": f"{value:.3g}",
            "predicted / measured": f"{predicted / value:.2f}",
        }
        self.rows.append(row)
        print(*row.values(), sep=" | ", flush=True)

    def predict(self, key: str, *point: float) -> float:
        return float(np.dot(self.constants[key], COSTS[key].counts(*point)))

    def first(self, n: float, k: int) -> float:
        """Seconds for the first k clusters of a class of n images."""
        if k == 1:
            return self.predict("gather", 1, n)
        if k <= FLAT_CLUSTERS:
            return self.predict("first", n, k)
        # As in the clustering: groups, clusters within each, then all together.
        groups = min(ceil(k / GROUP_CLUSTERS), FLAT_CLUSTERS)
        within = groups * self.first(n / groups, ceil(k / groups))
        return self.predict("first", n, groups) + within + self.predict("many 15", n, k)

    def refresh(self, n: float, k: int) -> float:
        """Seconds to refresh the k clusters of a class of n images."""
        if k == 1:
            return self.predict("gather", 1, n)
        return self.predict("refresh" if k <= FLAT_CLUSTERS else "many 3", n, k)

    def temporary(self, n: int, c: int) -> float:
        """Temporary bytes of a refresh."""
        single = clusters(n, c) == c
        mb = self.predict("gather memory", c, n / c) if single else self.predict(
            "cluster memory", n / c)  # fmt: skip
        return mb * 2**20


def clusters(n: int, c: int) -> int:
    """Clusters of c classes of n / c images each."""
    return c * max(1, n // c // CLUSTER)


def index_bytes(n: int, c: int, k: int, dim: int = DIM) -> int:
    """Labels, assignment, losses and two orders of images; centroids, classes and starts of
    clusters; starts of classes and their list."""
    return 5 * 8 * n + (4 * dim + 2 * 8) * k + 2 * 8 * c + 2 * 8


def refresh_traffic(n: int, k: int, dim: int = DIM) -> int:
    """Bytes that processes exchange in a refresh: assignments, and centroids by number."""
    return 16 * n + (4 * dim + 8) * k


def memory(model: Model) -> Rows:
    rows = []
    for n, c in SIZES:
        k = clusters(n, c)
        held = index_bytes(n, c, k)
        process = 4 * DIM * n + held + model.temporary(n, c)
        rows.append(
            {
                **names(n, c, k),
                "features": size(4 * DIM * n),
                "index": size(held),
                "temporary in a refresh": size(model.temporary(n, c)),
                "one process": size(process),
                f"processes in {HOST} GB": int(HOST * 2**30 // process),
                "exchanged in a refresh": size(refresh_traffic(n, k)),
                "read by a cluster-neighborhood batch": size(4 * DIM * k),
                "softmax weights, gradient, momentum": size(3 * 4 * DIM * c),
            }
        )
    return rows


def times(model: Model) -> Rows:
    rows = []
    for n, c in SIZES:
        k = clusters(n, c)
        refresh = c * model.refresh(n / c, k // c)
        batches = {
            "cluster-neighborhood batch": "neighborhood", "all-clusters batch": "hard",
            "Eq. 9 among all clusters": "loss", "search among all clusters": "search",
        }  # fmt: skip
        rows.append(
            {
                **names(n, c, k),
                "first clusters": duration(c * model.first(n / c, k // c)),
                "refresh": duration(refresh),
                # One process clusters a class.
                f"refresh, {PROCESSES} processes": duration(refresh / min(PROCESSES, c)),
                **{name: duration(model.predict(key, k) / 1000) for name, key in batches.items()},
            }
        )
    return rows


def machine_limits(model: Model) -> Rows:
    """The size at which each part exceeds one machine, by the model."""

    def within(key: str, ms: float) -> str:
        fixed, slope = model.constants[key]
        return f"{max(0.0, ms - fixed) / max(slope, 1e-12):,.0f} clusters"

    images = HOST * 2**30 // (4 * DIM + 5 * 8)
    minute = 60 * NETWORK * 2**30 / 8
    return [
        {"part": part, "limit": limit}
        for part, limit in (
            (f"features and index in {HOST} GB", f"{images:,} images"),
            (f"{PROCESSES} processes on one machine, a copy each",
             f"{images // PROCESSES:,} images"),
            (f"features gathered within a minute over {NETWORK} Gbit/s",
             f"{minute / (4 * DIM):,.0f} images"),
            (f"softmax weights of {DIM} dimensions, gradient and momentum, in 80 GB",
             f"{80 * 2**30 // (12 * DIM):,} classes"),
            ("cluster-neighborhood batch within 100 ms", within("neighborhood", 100)),
            ("Eq. 9 among all clusters within 100 ms", within("loss", 100)),
        )
    ]  # fmt: skip


def names(n: int, c: int, k: int) -> dict[str, str]:
    return {"images": f"{n:,}", "classes": f"{c:,}", "clusters": f"{k:,}"}


def size(count: float) -> str:
    for name, one in (("TB", 2**40), ("GB", 2**30)):
        if count >= one:
            return f"{count / one:.3g} {name}"
    return f"{count / 2**20:.3g} MB"


def duration(value: float) -> str:
    for name, one in (("days", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        if value >= one:
            return f"{value / one:.3g} {name}"
    return f"{value * 1000:.3g} ms"


def samplers(classes: int, images: int, dim: int = 8, draws: int = 2000) -> Rows:
    """An index of classes of log-normal sizes, and batches sampled from it."""
    rng = np.random.default_rng(0)
    labels = identities(classes, images, rng)
    features = costs.unit(len(labels), dim)
    index = ClusterIndex.empty(labels, dim)
    first = seconds(lambda: index.refresh(features, warm=False))
    again = seconds(lambda: index.refresh(features))
    index.record(np.arange(len(labels)), rng.random(len(labels)))
    neighborhood, hard = ClusterSampler(index), HardClusterSampler(index, BATCH)
    starts = [1000 * seconds(partial(s.draw, rng)) for s in (neighborhood, hard)]
    near = median_ms(lambda: neighborhood.draw(rng))
    drawn: list[np.ndarray] = []
    each = seconds(lambda: drawn.extend(labels[hard.draw(rng)] for _ in range(draws)))
    rate = np.minimum(1.0, hard.class_proportions() * BATCH)  # probability of a class in a batch
    values = {
        "classes": f"{classes:,}",
        "images": f"{len(labels):,}",
        "clusters": f"{index.n_clusters:,}",
        "dimensions": dim,
        "index": size(index_bytes(len(labels), classes, index.n_clusters, dim)),
        "first clusters, s": f"{first:.1f}",
        "refresh, s": f"{again:.1f}",
        "first cluster-neighborhood batch, ms": f"{starts[0]:.0f}",
        "further cluster-neighborhood batches, ms": f"{near:.1f}",
        "first all-clusters batch, ms": f"{starts[1]:.0f}",
        "further all-clusters batches, ms": f"{1000 * each / draws:.1f}",
        f"classes in {draws:,} all-clusters batches": f"{len(np.unique(np.concatenate(drawn))):,}",
        "expected for independent batches": f"{float((1 - (1 - rate) ** draws).sum()):,.0f}",
        "mean steps until every class is sampled": f"{1 / rate[rate > 0].min():,.0f}",
        "peak memory of the process, GB": f"{memory_mb() / 1024:.1f}",
    }
    return [{"quantity": name, "value": value} for name, value in values.items()]


def run(quick: bool = False) -> Tables:
    torch.set_num_threads(1)
    model = Model(quick)
    classes = 10**5 if quick else 10**7
    return {
        CHECK: model.rows,
        MEMORY: memory(model),
        TIME: times(model),
        LIMITS: machine_limits(model),
        SAMPLER: fresh_process(samplers, classes, 3 * classes, threads=1),
    }


def interpret(tables: Tables, limits: Mapping[str, float]) -> str:
    ratios = [float(row["predicted / measured"]) for row in tables[CHECK]]
    return (
        f"The predictions for the larger sets are {min(ratios):.2f} to {max(ratios):.2f} times the "
        "measured values; the other tables have at least this error. Before a refresh the "
        "processes also gather the features of all images. The largest class bounds the gain of "
        "several processes, since one process clusters a class. Memory is the first limit: every "
        "process holds all features and the index. Larger sets would need a partitioned index, a "
        "softmax over a sample of the classes and a search in shards; none of them is implemented."
    )


COMPARISON = Comparison(
    "scaling",
    "Extrapolation to 10^9 images and 10^7 classes",
    run,
    "Processor seconds of one thread. A model of a few non-negative constants is fitted to small "
    "sets, compared with larger sets that took no part in the fit, and extrapolated. Synthetic "
    f"unit features of {DIM} dimensions without structure, clusters of {CLUSTER}, batches of "
    f"{BATCH}, classes of equal size. The network is not included.",
    interpret,
)
