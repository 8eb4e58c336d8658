"""Nearest-cluster classification against exact and approximate nearest neighbors."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any

import numpy as np

from bench.comparison import Comparison, Rows, Tables, number
from bench.machine import MEMORY, PRODUCT, in_turn, timed
from clmle import NearestClusterClassifier

DIM, QUERIES, CLASSES = 128, 1000, 10
NEIGHBORS = 20  # N clusters of Eq. 10, and k of k-NN
SIZE = 200  # of a cluster
MODE_SIZE = 2500  # vectors
IVF_LISTS = 1024
HNSW_LINKS = 16  # of every vector
TREE_QUERIES = 20  # to the KD-tree over all vectors, which takes tens of milliseconds each
CLUSTERS, EXACT = "nearest clusters (Eq. 10)", "exact k-NN (FAISS flat)"


@dataclass(frozen=True)
class Contender:
    """Answers ``queries``: "vectors", "clusters" (nearest (m, k) of these) or "classes" (m,)."""

    search: Callable[[], np.ndarray]
    returns: str = "vectors"
    built: float = 0.0
    queries: int = QUERIES


def run(quick: bool = False) -> Rows:
    """Milliseconds a query, medians over runs that alternate."""
    n = 50_000 if quick else 1_000_000
    X, y, queries = vectors(n)
    contenders = built(X, y, queries)
    searches = {name: one.search for name, one in contenders.items()}
    in_turn(searches, 1)  # warm-up
    seconds, found = in_turn(searches, 3)
    per_query = {
        name: 1000 * median(seconds[name]) / one.queries for name, one in contenders.items()
    }
    exact = found[EXACT]
    wanted = voted(y[exact])
    rows = []
    for name, one in contenders.items():
        answer, recall, same = found[name], "", ""
        if one.returns == "vectors":
            recall = f"{hits(answer, exact):.3f}"
            answer = voted(y[answer])
        if one.returns != "clusters":
            same = f"{(answer == wanted[: len(answer)]).mean():.1%}"
        rows.append(
            {
                "method": name,
                "among": f"{n:,}" if one.returns == "vectors" else f"{clusters_of(y):,} clusters",
                "ms a query": f"{per_query[name]:.4f}",
                "relative to clusters": f"{per_query[name] / per_query[CLUSTERS]:.1f}",
                f"recall of the nearest {NEIGHBORS}": recall,
                "same class as exact k-NN": same,
                "construction s": f"{one.built:.1f}",
            }
        )
    return rows


def clusters_of(y: np.ndarray) -> int:
    """The number of clusters of the classes (n,)."""
    return sum(int(count) // SIZE for count in np.bincount(y))


def vectors(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Unit rows of several modes in each class, their classes, and queries of the same modes."""
    rng = np.random.default_rng(0)
    each = n // (CLASSES * MODE_SIZE)
    modes = rng.normal(size=(each * CLASSES, DIM)).astype(np.float32)

    def drawn(y: np.ndarray) -> np.ndarray:
        x = modes[y * each + rng.integers(each, size=len(y))]
        x += rng.standard_normal(x.shape, dtype=np.float32)
        x /= np.linalg.norm(x, axis=1, keepdims=True)
        return x

    y = rng.integers(CLASSES, size=n)
    return drawn(y), y, drawn(rng.integers(CLASSES, size=QUERIES))


def built(X: np.ndarray, y: np.ndarray, queries: np.ndarray) -> dict[str, Contender]:
    """Every method, with the seconds of its construction."""
    import faiss
    from scipy.spatial import cKDTree

    def filled(kind: str) -> Any:
        index = faiss.index_factory(DIM, kind, faiss.METRIC_INNER_PRODUCT)
        index.train(X[:: max(1, len(X) // (64 * IVF_LISTS))])
        index.add(X)
        return index

    def search(index: Any, parameter: str) -> np.ndarray:
        if parameter:
            name, value = parameter.split()
            faiss.ParameterSpace().set_index_parameter(index, name, float(value))
        return index.search(queries, NEIGHBORS)[1]

    def in_tree(tree: Any, rows: np.ndarray) -> Callable[[], np.ndarray]:
        return lambda: tree.query(rows, k=NEIGHBORS, workers=-1)[1]

    model = NearestClusterClassifier(cluster_size=SIZE, n_neighbors=NEIGHBORS, random_state=0)
    _, seconds = timed(lambda: model.fit(X, y))
    found = {CLUSTERS: Contender(lambda: model.predict(queries), "classes", seconds)}
    for name, kind, parameters in (
        (EXACT, "Flat", ("",)),
        ("IVF", f"IVF{IVF_LISTS},Flat", ("nprobe 1", "nprobe 8", "nprobe 32")),
        ("HNSW", f"HNSW{HNSW_LINKS},Flat", ("efSearch 32", "efSearch 128")),
    ):
        index, seconds = timed(partial(filled, kind))
        for one in parameters:
            label = f"{name}, {one}" if one else name
            found[label] = Contender(partial(search, index, one), built=seconds)
    tree, seconds = timed(lambda: cKDTree(X))
    found["KD-tree over all vectors"] = Contender(
        in_tree(tree, queries[:TREE_QUERIES]), built=seconds, queries=TREE_QUERIES
    )
    # The search alone; an additional coordinate turns inner products into distances.
    squared = (model.centroids_**2).sum(axis=1)
    extra = np.sqrt(np.maximum(squared.max() - squared, 0))
    tree, seconds = timed(lambda: cKDTree(np.column_stack([model.centroids_, extra])))
    augmented = np.column_stack([queries, np.zeros(len(queries))])
    found["KD-tree over the clusters"] = Contender(in_tree(tree, augmented), "clusters", seconds)
    return found


def voted(classes: np.ndarray) -> np.ndarray:
    """The most frequent class in each row of classes (m, k): (m,)."""
    votes = np.stack([(classes == c).sum(axis=1) for c in range(CLASSES)], axis=1)
    return votes.argmax(axis=1)


def hits(found: np.ndarray, exact: np.ndarray) -> float:
    """Fraction of the exact neighbors that are found."""
    pairs = zip(found, exact, strict=False)
    return float(np.mean([len(np.intersect1d(a, b)) / len(b) for a, b in pairs]))


def values(tables: Tables, limits: Mapping[str, float]) -> dict[str, Any]:
    by = {row["method"]: row for row in tables[""]}
    n, k = number(by[EXACT]["among"]), number(by[CLUSTERS]["among"].split()[0])
    slow = {name: by[name]["relative to clusters"] for name in by}
    fast = {name: row for name, row in by.items() if name.startswith(("IVF", "HNSW"))}
    best = min(fast, key=lambda name: number(fast[name]["ms a query"]))
    return {
        "exact": slow[EXACT], "tree": slow["KD-tree over all vectors"],
        "small_tree": slow["KD-tree over the clusters"], "fewer": n / k,
        "product": 1000 * 2 * n * DIM / 1e9 / limits[PRODUCT],
        "read": 1000 * n * DIM * 4 / 1e9 / limits[MEMORY],
        "best": best, "ms": fast[best]["ms a query"],
        "recall": fast[best][f"recall of the nearest {NEIGHBORS}"],
    }  # fmt: skip


COMPARISON = Comparison("nearest", run, values)
