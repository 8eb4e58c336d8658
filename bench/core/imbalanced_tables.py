"""Twelve imbalanced tables: of imbalanced-learn where they can be fetched, else made here."""

from collections.abc import Iterator

import numpy as np

Table = tuple[np.ndarray, np.ndarray]  # X (n, d) and y (n,), numbered from 0; 1 is the minority
FETCHED = (
    "ecoli", "optical_digits", "satimage", "pen_digits", "abalone", "spectrometer", "us_crime",
    "yeast_ml8", "libras_move", "thyroid_sick", "wine_quality", "oil",
)  # fmt: skip
MOST_ROWS = 4000


def tables(fetch: bool = True) -> tuple[str, dict[str, Table]]:
    """Where the tables are from, and the tables by name."""
    from imblearn.datasets import fetch_datasets

    try:
        if fetch:
            found = fetch_datasets(filter_data=FETCHED)
            return "imbalanced-learn", {
                name: (found[name].data[:MOST_ROWS], (found[name].target[:MOST_ROWS] > 0) * 1)
                for name in FETCHED
            }
    except OSError:  # no network
        pass
    return "scikit-learn and generated", dict(made())


def made() -> Iterator[tuple[str, Table]]:
    """Tables of scikit-learn with a thinned class, and generated ones."""
    from sklearn import datasets

    X, y = datasets.load_breast_cancer(return_X_y=True)
    yield "breast cancer 9:1", thinned(X, 1 - y, {1: 40})
    X, y = datasets.load_wine(return_X_y=True)
    yield "wine 6:1", thinned(X, (y == 2) * 1, {1: 22})
    X, y = datasets.load_digits(return_X_y=True)
    yield "digits 8 or not", (X, (y == 8) * 1)
    yield "digits 4 or not 54:1", thinned(X, (y == 4) * 1, {1: 30})
    yield "digits, long tail", thinned(X, y, {c: int(170 * 20 ** (-c / 9)) for c in range(10)})
    X, y = datasets.load_diabetes(return_X_y=True)
    yield "diabetes, top tenth", (X, (y >= np.quantile(y, 0.9)) * 1)
    yield "one mode a class", classification(20, 5, 1, 0.95)
    yield "three modes a class", classification(20, 8, 3, 0.95)
    yield "eight modes a class", classification(30, 12, 8, 0.93)
    X, y = datasets.make_hastie_10_2(4000, random_state=0)
    yield "sum of squares", thinned(X, (y > 0) * 1, {1: 150})
    X, y = datasets.make_moons(3000, noise=0.25, random_state=0)
    X = np.hstack([X, np.random.default_rng(0).normal(size=(len(X), 6))])
    yield "moons and six noise features", thinned(X, y, {1: 120})
    X, y = datasets.make_blobs(
        [1500, 500, 170, 60], 12, cluster_std=6.0, random_state=0, center_box=(-5, 5)
    )
    yield "four blobs, long tail", (X, y)


def classification(n_features: int, informative: int, modes: int, majority: float) -> Table:
    """Two classes of several modes each."""
    from sklearn.datasets import make_classification

    found: Table = make_classification(
        2400, n_features, n_informative=informative, n_clusters_per_class=modes,
        weights=[majority], class_sep=1.2, flip_y=0.01, random_state=0,
    )  # fmt: skip
    return found


def thinned(X: np.ndarray, y: np.ndarray, counts: dict[int, int]) -> Table:
    """The table with so many rows of each of the classes in ``counts``."""
    rng = np.random.default_rng(0)
    rows = [rng.permutation(np.flatnonzero(y == c))[: counts.get(int(c))] for c in np.unique(y)]
    kept = np.sort(np.concatenate(rows))
    return X[kept], y[kept]
