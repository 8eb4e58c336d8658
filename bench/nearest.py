"""The nearest-cluster rule against exact and approximate neighbors among all training vectors."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from statistics import median

import numpy as np

from bench.comparison import Comparison, Rows, Tables, number
from clmle import NearestClusterClassifier

DIM, QUERIES, CLASSES = 128, 1000, 10
NEIGHBORS = 20  # N clusters of Eq. 10, and k of k-NN
SIZE = 200  # of a cluster
OF_MODE = 2500  # vectors
CELLS = 1024  # of IVF's first level
LINKS = 16  # of every vector in HNSW
FEW = 20  # queries to the KD-tree over all vectors, which takes tens of milliseconds each


@dataclass(frozen=True)
class Contender:
    """``search`` asks for the first ``queries``, and gives what is named by ``gives``.

    "vectors": neighbors (m, k); "classes" (m,); "clusters": neighbors among them.
    """

    search: Callable[[], np.ndarray]
    gives: str = "vectors"
    built: float = 0.0
    queries: int = QUERIES


def run(quick: bool = False) -> Rows:
    """Milliseconds a query of all, medians over runs in turn."""
    n = 50_000 if quick else 1_000_000
    X, y, queries = vectors(n)
    contenders = built(X, y, queries)
    found = {name: one.search() for name, one in contenders.items()}
    seconds = time_in_turn(contenders, repeats=3)
    per_query = {
        name: 1000 * median(seconds[name]) / one.queries for name, one in contenders.items()
    }
    exact = found[EXACT]
    wanted = voted(y[exact])
    rows = []
    for name, one in contenders.items():
        answer, recall, same = found[name], "", ""
        if one.gives == "vectors":
            recall = f"{hits(answer, exact):.3f}"
            answer = voted(y[answer])
        if one.gives != "clusters":
            same = f"{(answer == wanted[: len(answer)]).mean():.1%}"
        rows.append(
            {
                "method": name,
                "among": f"{n:,}" if one.gives == "vectors" else f"{clusters_of(y):,} clusters",
                "ms a query": f"{per_query[name]:.4f}",
                "times as slow as clusters": f"{per_query[name] / per_query[CLUSTERS]:.1f}",
                f"recall of the nearest {NEIGHBORS}": recall,
                "same class as exact k-NN": same,
                "built in s": f"{one.built:.1f}",
            }
        )
    return rows


CLUSTERS, EXACT = "clusters and rule (Eq. 10)", "exact k-NN (FAISS flat)"


def clusters_of(y: np.ndarray) -> int:
    """As many as the classifier makes of the classes (n,)."""
    return sum(int(count) // SIZE for count in np.bincount(y))


def vectors(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Unit rows of some modes a class, their classes, and queries from the same modes."""
    rng = np.random.default_rng(0)
    each = n // (CLASSES * OF_MODE)
    modes = rng.normal(size=(each * CLASSES, DIM)).astype(np.float32)

    def drawn(y: np.ndarray) -> np.ndarray:
        x = modes[y * each + rng.integers(each, size=len(y))]
        x += rng.standard_normal(x.shape, dtype=np.float32)
        x /= np.linalg.norm(x, axis=1, keepdims=True)
        return x

    y = rng.integers(CLASSES, size=n)
    return drawn(y), y, drawn(rng.integers(CLASSES, size=QUERIES))


def built(X: np.ndarray, y: np.ndarray, queries: np.ndarray) -> dict[str, Contender]:
    """Every contender, with the seconds that it took to be built."""
    import faiss
    from scipy.spatial import cKDTree

    def timed(make: Callable[[], object]) -> tuple[object, float]:
        start = time.perf_counter()
        return make(), time.perf_counter() - start

    def filled(index):
        if not index.is_trained:
            index.train(X[:: max(1, len(X) // (64 * CELLS))])
        index.add(X)
        return index

    model = NearestClusterClassifier(cluster_size=SIZE, n_neighbors=NEIGHBORS, random_state=0)
    _, fit = timed(lambda: model.fit(X, y))
    found = {CLUSTERS: Contender(lambda: model.predict(queries), "classes", fit)}
    for name, make, config in (
        (EXACT, lambda: faiss.IndexFlatIP(DIM), ({},)),
        ("IVF", lambda: _ivf(faiss), ({"nprobe": 1}, {"nprobe": 8}, {"nprobe": 32})),
        ("HNSW", lambda: _hnsw(faiss), ({"efSearch": 32}, {"efSearch": 128})),
    ):
        index, seconds = timed(partial(filled, make()))
        for setting in config:
            label = ", ".join([name, *(f"{k} {v}" for k, v in setting.items())])
            found[label] = Contender(_search(index, setting, queries), built=seconds)
    start = time.perf_counter()
    tree = cKDTree(X)
    seconds = time.perf_counter() - start
    few = queries[:FEW]
    search = lambda: tree.query(few, k=NEIGHBORS, workers=-1)[1]  # noqa: E731
    found["KD-tree over all vectors"] = Contender(search, built=seconds, queries=FEW)
    found["KD-tree over the clusters"] = _kd_tree(model, queries)
    return found


def _ivf(faiss):
    quantizer = faiss.IndexFlatIP(DIM)
    index = faiss.IndexIVFFlat(quantizer, DIM, CELLS, faiss.METRIC_INNER_PRODUCT)
    index.own_fields = True
    quantizer.this.disown()
    return index


def _hnsw(faiss):
    return faiss.IndexHNSWFlat(DIM, LINKS, faiss.METRIC_INNER_PRODUCT)


def _search(index, setting: Mapping[str, int], queries: np.ndarray) -> Callable[[], np.ndarray]:
    def search() -> np.ndarray:
        for name, value in setting.items():
            setattr(index.hnsw if name == "efSearch" else index, name, value)
        return index.search(queries, NEIGHBORS)[1]

    return search


def _kd_tree(model: NearestClusterClassifier, queries: np.ndarray) -> Contender:
    """Largest inner product as smallest distance: one more coordinate makes norms equal.

    The tree is timed, without the rule.
    """
    from scipy.spatial import cKDTree

    centroids = model.centroids_
    start = time.perf_counter()
    squared = (centroids**2).sum(axis=1)
    extra = np.sqrt(np.maximum(squared.max() - squared, 0))
    tree = cKDTree(np.column_stack([centroids, extra]))
    seconds = time.perf_counter() - start
    augmented = np.column_stack([queries, np.zeros(len(queries))])
    search = lambda: tree.query(augmented, k=NEIGHBORS, workers=-1)[1]  # noqa: E731
    return Contender(search, "clusters", seconds)


def time_in_turn(contenders: Mapping[str, Contender], repeats: int) -> dict[str, list[float]]:
    """Seconds of every contender, taken in turn so that noise falls on all alike."""
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(repeats):
        for name, one in contenders.items():
            start = time.perf_counter()
            one.search()
            seconds[name].append(time.perf_counter() - start)
    return seconds


def voted(classes: np.ndarray) -> np.ndarray:
    """The most frequent of each row of classes (m, k), (m,)."""
    votes = np.stack([(classes == c).sum(axis=1) for c in range(CLASSES)], axis=1)
    return votes.argmax(axis=1)


def hits(found: np.ndarray, exact: np.ndarray) -> float:
    """Share of the exact neighbors that were found."""
    pairs = zip(found, exact, strict=False)
    return float(np.mean([len(np.intersect1d(a, b)) / len(b) for a, b in pairs]))


def says(tables: Tables, limits: Mapping[str, float]) -> str:
    by = {row["method"]: row for row in tables[""]}
    n = number(by[EXACT]["among"])
    k = number(by[CLUSTERS]["among"].split()[0])
    product = 1000 * 2 * n * DIM / 1e9 / limits["product, GFLOP/s"]
    read = 1000 * n * DIM * 4 / 1e9 / limits["memory, GB/s"]
    slow = {name: by[name]["times as slow as clusters"] for name in by}
    fast = {name: row for name, row in by.items() if name.startswith(("IVF", "HNSW"))}
    best = min(fast, key=lambda name: number(fast[name]["ms a query"]))
    near = fast[best][f"recall of the nearest {NEIGHBORS}"]
    return (
        f"Exact k-NN takes {slow[EXACT]} times as long as the rule on clusters, the KD-tree over "
        f"all vectors {slow['KD-tree over all vectors']} times, over the clusters "
        f"{slow['KD-tree over the clusters']} times. The paper says about 1000 times faster than "
        "k-NN, by a KD-tree. The clusters alone gain at most the ratio of the products, "
        f"{n / k:.0f}; in {DIM} dimensions a tree cannot leave out much and is slower than a "
        "product with everything. Exact k-NN is bounded by that product "
        f"({product:.2f} ms a query at the rate above) and by the search for the largest; one "
        f"query by itself would have to read all vectors, {read:.0f} ms. Of the approximate "
        f"indexes {best} is the quickest, {fast[best]['ms a query']} ms a query at a recall of "
        f"{near}; a probe looks at 1 / {CELLS} of the vectors, and what bounds it is reading them, "
        "as it is HNSW's, one vector at a time."
    )


COMPARISON = Comparison(
    "nearest",
    "Nearest-cluster rule against nearest neighbors",
    run,
    f"{DIM} dimensions, {CLASSES} classes, modes of {OF_MODE:,} vectors, clusters of {SIZE}, "
    f"N = k = {NEIGHBORS}, {QUERIES:,} queries at once ({FEW} to the KD-tree over all), medians of "
    f"three turns. IVF has {CELLS} cells, HNSW {LINKS} links a vector.",
    says,
)
