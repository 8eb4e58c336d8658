"""CLMLEClassifier and the usual methods for imbalanced tables, with default-sized tuning."""

import multiprocessing
import time
import warnings
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any

import numpy as np
from scipy.stats import rankdata

from bench.comparison import Comparison, Tables, number
from bench.core.imbalanced_tables import Table, tables
from bench.machine import one_thread
from clmle import CLMLEClassifier
from clmle.studies.statistics import t_interval

SEEDS = 3  # splits into halves for training and test
PROCESSES = 1  # with one thread, so that CPU seconds are those of one core without others
CANDIDATES = 3  # configurations of each method
OURS, CONTROL = "CLMLEClassifier", "CLMLEClassifier without Eq. 9"
MLP = {"hidden": (128,)}


def methods(seed: int) -> dict[str, list[Callable[[], Any]]]:
    """Constructors of the candidates of each method; the first has the defaults of its package."""
    from imblearn.ensemble import (
        BalancedRandomForestClassifier,
        EasyEnsembleClassifier,
        RUSBoostClassifier,
    )
    from sklearn.ensemble import AdaBoostClassifier, HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.tree import DecisionTreeClassifier

    def logistic(c: float) -> Any:
        model = LogisticRegression(C=c, class_weight="balanced", max_iter=1000)
        return make_pipeline(StandardScaler(), model)

    def each(kind: Any, *options: Mapping[str, Any], **always: Any) -> list[Callable[[], Any]]:
        return [partial(kind, **always, **own, random_state=seed) for own in options]

    deep = AdaBoostClassifier(DecisionTreeClassifier(max_depth=2), n_estimators=50)
    return {
        OURS: each(CLMLEClassifier, {}, MLP, {**MLP, "margin_weight": 0.5}),
        CONTROL: each(CLMLEClassifier, {}, MLP, {"hidden": (64,)}, margin_weight=0.0),
        "logistic regression, balanced": [partial(logistic, c) for c in (1.0, 0.01, 100.0)],
        "gradient boosting, balanced": each(
            HistGradientBoostingClassifier, {}, {"max_leaf_nodes": 8}, {"learning_rate": 0.03},
            class_weight="balanced",
        ),
        "balanced random forest": each(
            BalancedRandomForestClassifier, {}, {"min_samples_leaf": 5}, {"max_features": 0.5}
        ),
        "EasyEnsemble": each(EasyEnsembleClassifier, {}, {"n_estimators": 20}, {"estimator": deep}),
        "RUSBoost": each(RUSBoostClassifier, {}, {"n_estimators": 200}, {"learning_rate": 0.1}),
    }  # fmt: skip


def run(quick: bool = False) -> Tables:
    """Metrics of every method on every table, means over seeds."""
    source, found = tables()
    if quick:
        found = dict(list(found.items())[:2])
    seeds = 1 if quick else SEEDS
    jobs = [(name, seed) for name in found for seed in range(seeds)]
    spawn = multiprocessing.get_context("spawn")
    with one_thread(), ProcessPoolExecutor(PROCESSES, spawn) as pool:
        each = dict(zip(jobs, pool.map(partial(scores, found), jobs), strict=True))
    results: dict[tuple[str, str], np.ndarray] = {}  # balanced accuracy, AP and seconds
    for name in found:
        for method in methods(0):
            own = [each[name, seed][method] for seed in range(seeds)]
            results[method, name] = np.mean(own, axis=0)
    names = list(methods(0))
    by_metric = [np.array([[results[m, t][i] for t in found] for m in names]) for i in range(3)]
    return {
        f"Means over {len(found)} tables ({source}) and {seeds} split{'s' * (seeds > 1)}": summary(
            names, *by_metric
        ),
        "Balanced accuracy": by_table(names, list(found), by_metric[0]),
        "Average precision": by_table(names, list(found), by_metric[1]),
    }


def scores(
    found: Mapping[str, Table], job: tuple[str, int]
) -> dict[str, tuple[float, float, float]]:
    """Balanced accuracy, average precision and CPU seconds of tuning and fit of each method."""
    from sklearn.model_selection import train_test_split

    name, seed = job
    data, classes = found[name]
    X, X_test, y, y_test = train_test_split(
        data, classes, test_size=0.5, stratify=classes, random_state=seed
    )
    parts = train_test_split(X, y, test_size=0.25, stratify=y, random_state=seed)
    measured = {}
    for method, candidates in methods(seed).items():
        with warnings.catch_warnings(action="ignore"):  # of convergence and of rare classes
            before = time.process_time()
            model = tuned(candidates, parts, X, y)
            seconds = time.process_time() - before
            measured[method] = *evaluated(model, X_test, y_test), seconds
    return measured


def tuned(candidates: list[Callable[[], Any]], parts: list[np.ndarray], X: Any, y: Any) -> Any:
    """The candidate with the best balanced accuracy on held-out rows, fitted on all rows.

    Boosting raises an error where its first weak classifier is worse than chance; such a candidate
    is left out. Where all are, the class frequencies take their place.
    """
    from sklearn.dummy import DummyClassifier

    X_fit, X_held, y_fit, y_held = parts
    held = []
    for make in candidates:
        try:
            held.append(evaluated(make().fit(X_fit, y_fit), X_held, y_held)[0])
        except ValueError:
            held.append(-1.0)
    for i in np.argsort(-np.array(held), kind="stable"):  # the first of equals
        with suppress(ValueError):
            return candidates[i]().fit(X, y)
    return DummyClassifier().fit(X, y)


def evaluated(model: Any, X: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Balanced accuracy and average precision: of the minority, or the mean over classes."""
    from sklearn.metrics import average_precision_score, balanced_accuracy_score

    probability = model.predict_proba(X)
    classes = range(1, 2) if probability.shape[1] == 2 else range(probability.shape[1])
    precision = [average_precision_score(y == c, probability[:, c]) for c in classes]
    return float(balanced_accuracy_score(y, model.predict(X))), float(np.mean(precision))


def summary(
    names: list[str], accuracy: np.ndarray, precision: np.ndarray, seconds: np.ndarray
) -> list[dict[str, str]]:
    """Means over tables (methods, tables), with paired differences to the first method."""
    ranks = rankdata(-accuracy, axis=0)  # equal methods share the mean of their ranks
    return [
        {
            "method": name,
            "balanced accuracy": f"{accuracy[i].mean():.3f}",
            "difference, pp": interval(accuracy[i] - accuracy[0]) if i else "",
            "mean rank": f"{ranks[i].mean():.1f}",
            "average precision": f"{precision[i].mean():.3f}",
            "difference in AP, pp": interval(precision[i] - precision[0]) if i else "",
            "CPU s a table": f"{seconds[i].mean():.1f}",
        }
        for i, name in enumerate(names)
    ]


def interval(differences: np.ndarray) -> str:
    """Mean of differences in percentage points, and its 95 % interval over tables."""
    low, high = t_interval(differences, (-1.0, 1.0))
    between = "" if low is None or high is None else f" ({100 * low:+.1f} to {100 * high:+.1f})"
    return f"{100 * differences.mean():+.1f}{between}"


def by_table(names: list[str], found: list[str], values: np.ndarray) -> list[dict[str, str]]:
    return [
        {"table": table} | {name: f"{values[i, t]:.3f}" for i, name in enumerate(names)}
        for t, table in enumerate(found)
    ]


def values(tables: Tables, limits: Mapping[str, float]) -> dict[str, Any]:
    """The best methods of the first table, and how often ours is the best."""
    first = next(iter(tables.values()))
    by = {row["method"]: row for row in first}

    def best(column: str) -> str:
        return max(by, key=lambda name: number(by[name][column]))

    def wins(metric: str) -> int:
        rows = [{k: v for k, v in row.items() if k != "table"} for row in tables[metric]]
        return sum(row[OURS] == max(row.values()) for row in rows)

    return {
        "best": best("balanced accuracy"), "best_ap": best("average precision"),
        "wins": wins("Balanced accuracy"), "wins_ap": wins("Average precision"),
        "number": len(tables["Balanced accuracy"]),
        "without": by[CONTROL]["difference, pp"], "without_ap": by[CONTROL]["difference in AP, pp"],
    }  # fmt: skip


COMPARISON = Comparison("tables", run, values)
