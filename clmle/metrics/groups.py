"""Metrics of every group of images, the worst group, and the gap that chance alone would give."""

from typing import Any

import numpy as np

from clmle.checks import array_of, names_of, seed_number, whole
from clmle.errors import InputError
from clmle.metrics.classification import mean_recall
from clmle.metrics.intervals import mean_of_proportions, wilson

MIN_IMAGES = 10  # of a class; the recall of fewer is close to arbitrary
N_PERMUTATIONS = 500


def metrics_by_group(
    labels: Any, predicted: Any, groups: Any, *, min_images: int = MIN_IMAGES, seed: int = 0
) -> dict[str, Any]:
    """Compute the metrics of every group, the worst group and the gap between groups.

    A worst group always exists, and with small groups the gap is large even if the classifier
    treats all groups alike. The gap is therefore reported with the gap of random groups: those
    that 500 permutations of the groups within every class give.

    Parameters
    ----------
    labels, predicted : integer arrays of shape (n,)
        True and predicted classes.
    groups : array of shape (n,)
        Group of every image: numbers or texts without a missing value.
    min_images : int
        Groups with fewer images of a class are listed, but not compared in the recall of that
        class nor in balanced accuracy, since their metrics are close to arbitrary.
    seed : int
        Seed of the permutations.

    Returns
    -------
    dict
        ``overall`` and each of ``groups``, in order of their names: ``group``, ``n``, ``accuracy``
        with ``accuracy_interval``, ``balanced_accuracy`` with ``interval``, and lists over the
        classes ``recall``, ``recall_interval``, ``precision``, ``precision_interval`` and
        ``support``. Intervals are 95 % intervals, Wilson's of proportions; a value is None where
        there are no images. Balanced accuracy is the mean recall of the classes that a group has.
        ``gaps`` has the keys ``balanced_accuracy``, ``accuracy`` and ``recall`` (a list over
        classes), each with ``compared`` (number of groups), ``worst``, ``best``, ``gap`` (best
        minus worst), ``interval`` (of the difference of these two groups), ``random_gap`` (95 % of
        the gaps of random groups are smaller) and ``p_value``; None with fewer than two groups to
        compare.

    References
    ----------
    S. Bird et al., *Fairlearn: a toolkit for assessing and improving fairness in AI*, Microsoft
    Research 2020 (MetricFrame). G. Zou and A. Donner, *Construction of confidence limits about
    effect measures*, Statistics in Medicine 27 (2008).

    Examples
    --------
    >>> found = metrics_by_group([0, 0, 1, 1], [0, 0, 1, 0], ["a", "b", "a", "b"], min_images=1)
    >>> [(row["group"], row["balanced_accuracy"]) for row in found["groups"]]
    [('a', 1.0), ('b', 0.5)]
    >>> found["gaps"]["balanced_accuracy"]["worst"]
    'b'
    """
    y, y_hat = array_of(labels, "labels"), array_of(predicted, "predicted")
    if y.ndim != 1 or y.shape != y_hat.shape or not len(y):
        raise InputError(
            f"labels and predicted must be (n,), at least one, but are {y.shape} and {y_hat.shape}."
        )
    for name, values in (("labels", y), ("predicted", y_hat)):
        if values.dtype.kind not in "iu" or values.min() < 0:
            raise InputError(f"{name} must be numbers of classes from 0.")
    named = names_of(groups, "groups", len(y), "images")
    least = whole(min_images, "min_images", 1)
    names, index = np.unique(named.astype(str), return_inverse=True)
    n_classes = int(max(y.max(), y_hat.max())) + 1
    support, hits, called = _counts(y, y_hat, index, len(names), n_classes)
    rows = zip(names, hits, support, called, strict=True)
    rng = np.random.default_rng(seed_number(seed))
    return {
        "overall": _row("all", hits.sum(axis=0), support.sum(axis=0), called.sum(axis=0)),
        "groups": [_row(str(name), *counts) for name, *counts in rows],
        "gaps": _gaps(hits, support, names, least, rng),
    }


def _counts(
    y: np.ndarray, predicted: np.ndarray, index: np.ndarray, n_groups: int, n_classes: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Images, hits and predictions (G, C) of every group and class."""

    def table(rows: np.ndarray, classes: np.ndarray) -> np.ndarray:
        found = np.bincount(index[rows] * n_classes + classes[rows], minlength=n_groups * n_classes)
        return found.reshape(n_groups, n_classes)

    every = np.ones(len(y), dtype=bool)
    return table(every, y), table(y == predicted, y), table(every, predicted)


def _row(name: str, hits: np.ndarray, support: np.ndarray, called: np.ndarray) -> dict[str, Any]:
    """Metrics of one group from the hits, images and predictions (C,) of its classes."""
    n, right = int(support.sum()), int(hits.sum())
    proportions: dict[str, list[Any]] = {}
    for key, of in (("recall", support), ("precision", called)):
        pairs = [(int(h), int(k)) for h, k in zip(hits, of, strict=True)]
        proportions[key] = [h / k if k else None for h, k in pairs]
        proportions[f"{key}_interval"] = [wilson(h, k) for h, k in pairs]
    return {
        "group": name, "n": n,
        "accuracy": right / n, "accuracy_interval": wilson(right, n),
        "balanced_accuracy": mean_recall(hits, support),
        "interval": mean_of_proportions(hits, support),
        **proportions, "support": support.tolist(),
    }  # fmt: skip


def _gaps(
    hits: np.ndarray, support: np.ndarray, names: np.ndarray, least: int, rng: np.random.Generator
) -> dict[str, Any]:
    """Gap of balanced accuracy, of accuracy and of the recall of every class; see the caller."""
    classes = np.flatnonzero(support.sum(axis=0))
    every = np.asarray((support[:, classes] >= least).all(axis=1))
    enough = support.sum(axis=1) >= least
    recall: list[dict[str, Any] | None] = [None] * support.shape[1]
    # The random divisions of one class at a time: of all at once they take too much memory.
    hits_sum = np.zeros((N_PERMUTATIONS, len(names)))
    recall_sum = np.zeros((N_PERMUTATIONS, len(names)))
    for c in classes:
        n, own = support[:, c], hits[:, c]
        # Random groups of these sizes: their hits are multivariate hypergeometric.
        drawn = rng.multivariate_hypergeometric(n, int(own.sum()), N_PERMUTATIONS, "marginals")
        rates = drawn / np.maximum(n, 1)
        recall[c] = _gap(own[:, None], n[:, None], rates, names, n >= least)
        hits_sum += drawn
        recall_sum += rates
    by_class = hits[:, classes], support[:, classes]
    total = hits.sum(axis=1, keepdims=True), support.sum(axis=1, keepdims=True)
    return {
        "balanced_accuracy": _gap(*by_class, recall_sum / len(classes), names, every),
        "accuracy": _gap(*total, hits_sum / total[1][:, 0], names, enough),
        "recall": recall,
    }


def _gap(
    hits: np.ndarray, support: np.ndarray, drawn: np.ndarray, names: np.ndarray, kept: np.ndarray
) -> dict[str, Any] | None:
    """Best and worst of the groups ``kept`` by the mean over columns of ``hits / support`` (G, k).

    ``drawn`` (permutations, G) holds the means of random groups.
    """
    if kept.sum() < 2:
        return None
    names, hits, support, drawn = names[kept], hits[kept], support[kept], drawn[:, kept]
    values = (hits / support).mean(axis=1)
    worst, best = int(values.argmin()), int(values.argmax())
    (low_w, high_w), (low_b, high_b) = (
        mean_of_proportions(hits[i], support[i]) for i in (worst, best)
    )
    gap = float(values[best] - values[worst])
    below = np.hypot(values[best] - low_b, high_w - values[worst])
    above = np.hypot(high_b - values[best], values[worst] - low_w)
    random = np.ptp(drawn, axis=1)
    return {
        "compared": len(names), "worst": str(names[worst]), "best": str(names[best]),
        "gap": gap, "interval": [float(gap - below), float(gap + above)],
        "random_gap": float(np.quantile(random, 0.95)),
        "p_value": float((1 + (random >= gap - 1e-12).sum()) / (1 + N_PERMUTATIONS)),
    }  # fmt: skip
