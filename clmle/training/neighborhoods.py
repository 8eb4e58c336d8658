"""Local imbalance of the learned features: what margins between clusters are meant to lower."""

from typing import Any

import numpy as np

from clmle._search import nearest_others
from clmle.classifiers._base import unit_rows
from clmle.data.base import Task
from clmle.data.multilabel import MultiTask
from clmle.metrics.local_imbalance import local_imbalance
from clmle.metrics.local_margin import local_margin
from clmle.metrics.purity import cluster_purity, neighbor_purity

LARGEST = 2000  # images whose neighbors are searched
NEAREST = 10  # neighbors of a query of a class that was left out


def neighborhood_metrics(
    task: Task | MultiTask, rows: np.ndarray, features: np.ndarray
) -> dict[str, Any]:
    """Impostor rates of the images ``rows`` among each other, by features (m, d) or (m, A, d).

    ``impostor_rate`` is the mean fraction of other classes among the 10 nearest neighbors, a list
    over classes, or over attributes of their rarer class; None for a class without images.
    ``minority_impostor_rate`` is the mean over the classes with fewer training images than the
    average class, or over attributes. With sub-populations, ``neighbor_purity`` is the fraction of
    the 5 nearest neighbors of the same class that have the same sub-population, of the minority
    classes; ``unseen_retrieval`` is the mean fraction of the 10 nearest images that have the
    sub-population of the query, for queries of sub-populations without a training image.
    """
    if len(rows) > LARGEST:
        kept = np.sort(np.random.default_rng(len(rows)).permutation(len(rows))[:LARGEST])
        rows, features = rows[kept], features[kept]
    if isinstance(task, MultiTask):
        rarer = np.argmin(task.class_counts(), axis=1)
        rates = [
            _class_rates(features[:, a], task.labels[rows, a], 2)[c] for a, c in enumerate(rarer)
        ]
        minority = np.ones(len(rates), dtype=bool)
    else:
        counts = task.class_counts()
        rates = _class_rates(features, task.labels[rows], task.n_classes)
        minority = counts < counts.mean() if len(set(counts.tolist())) > 1 else counts > 0
    known = [
        rate for rate, counted in zip(rates, minority, strict=True) if counted and rate is not None
    ]
    found: dict[str, Any] = {
        "impostor_rate": rates,
        "minority_impostor_rate": float(np.mean(known)) if known else None,
    }
    if isinstance(task, Task) and task.subpopulations is not None:
        hidden, labels = task.subpopulations[0][rows], task.labels[rows]
        of = np.isin(labels, np.flatnonzero(minority))
        found["neighbor_purity"] = neighbor_purity(unit_rows(features[of]), labels[of], hidden[of])
        unseen = ~np.isin(hidden, task.subpopulations[0][task.train])
        if unseen.any():
            found["unseen_retrieval"] = _precision(unit_rows(features), hidden, unseen)
    return found


def _precision(features: np.ndarray, classes: np.ndarray, queries: np.ndarray) -> float:
    """Mean fraction of the 10 nearest images that have the class of the query."""
    near = nearest_others(features, NEAREST)[queries]
    return float((classes[near] == classes[queries][:, None]).mean())


def reference_rows(task: Task | MultiTask) -> np.ndarray | None:
    """Training images that local margins refer to, at most 2,000 of a class.

    None without sub-populations: extracting their features takes time.
    """
    if isinstance(task, MultiTask) or task.subpopulations is None:
        return None
    rng = np.random.default_rng(len(task.train))
    rows, labels = task.train, task.labels[task.train]
    kept = [rng.permutation(rows[labels == c])[:LARGEST] for c in range(task.n_classes)]
    return np.sort(np.concatenate(kept))


def margin_metrics(
    task: Task, reference: tuple[np.ndarray, np.ndarray], new: tuple[np.ndarray, np.ndarray]
) -> dict[str, float]:
    """Mean local margin of the minority classes, of training images and of others.

    ``reference`` and ``new`` are rows with their features (m, d).
    """
    counts = task.class_counts()
    minority = np.flatnonzero(counts < counts.mean())
    near, near_labels = unit_rows(reference[1]), task.labels[reference[0]]
    found = {}
    for name, (rows, features) in (("train_margin", reference), ("margin", new)):
        of = np.flatnonzero(np.isin(task.labels[rows], minority))[:LARGEST]
        margins = local_margin(
            unit_rows(features[of]), task.labels[rows[of]], near, near_labels,
            same=of if name == "train_margin" else None,
        )  # fmt: skip
        if np.isfinite(margins).any():
            found[name] = float(np.nanmean(margins))
    return found


def purity_of_clusters(task: Task | MultiTask, assignment: np.ndarray | None) -> float | None:
    """Purity of the clusters of the training images in sub-populations; None without either."""
    if assignment is None or isinstance(task, MultiTask) or task.subpopulations is None:
        return None
    return cluster_purity(assignment, task.subpopulations[0][task.train])


def _class_rates(features: np.ndarray, labels: np.ndarray, n_classes: int) -> list[float | None]:
    known = labels >= 0
    labels = labels[known]
    if len(labels) < 2:
        return [None] * n_classes
    rates = local_imbalance(unit_rows(features[known]), labels).impostor_rate
    return [
        float(rates[labels == c].mean()) if (labels == c).any() else None for c in range(n_classes)
    ]
