"""Balanced accuracy, reported together with its interval and other metrics.

Balanced accuracy can rise at the expense of other metrics. Accuracy, average precision, ROC AUC,
Matthews correlation and the recall of every class are therefore always reported as well.
"""

from typing import Any

import numpy as np

from clmle.checks import array_of, numeric
from clmle.errors import InputError
from clmle.metrics.intervals import mean_of_proportions

MANY_CLASSES = 100  # no confusion matrix and no one-against-rest ranking above


def balanced_accuracy(labels: Any, predicted: Any) -> float:
    """Mean recall over the classes that occur.

    For two classes this is 0.5 (tp / Np + tn / Nn), the measure of the paper.

    Parameters
    ----------
    labels, predicted : arrays of shape (n,)
        True and predicted class of each sample; numbers or words.

    Returns
    -------
    float
        Between 0 and 1.

    Raises
    ------
    InputError
        If the arrays have different lengths, are empty or contain NaN.

    References
    ----------
    Section 5 of the CLMLE paper.

    Examples
    --------
    >>> balanced_accuracy([0, 0, 0, 0, 1, 1], [0, 0, 0, 1, 1, 0])
    0.625
    """
    y, y_hat = labels_and_predictions(labels, predicted)
    _, index, n = np.unique(y, return_inverse=True, return_counts=True)
    return mean_recall(np.bincount(index, weights=y == y_hat), n)


def labels_and_predictions(labels: Any, predicted: Any) -> tuple[np.ndarray, np.ndarray]:
    """Both as arrays (n,) of comparable values without NaN."""
    y, y_hat = array_of(labels, "labels"), array_of(predicted, "predicted")
    if y.ndim != 1 or y.shape != y_hat.shape or not len(y):
        raise InputError(
            f"labels and predicted must be (n,), at least one, but are {y.shape} and {y_hat.shape}."
        )
    if (y.dtype.kind in "US") != (y_hat.dtype.kind in "US"):
        raise InputError(
            f"labels are {y.dtype} and predicted are {y_hat.dtype}; give both as numbers or both "
            "as words."
        )
    for name, values in (("labels", y), ("predicted", y_hat)):
        if (values != values).any():
            raise InputError(f"{name} contain NaN; leave samples without a class out.")
    return y, y_hat


def mean_recall(hits: np.ndarray, support: np.ndarray) -> float:
    """Mean of ``hits / support``, both (C,), over the classes with support."""
    present = support > 0
    return float((hits[present] / support[present]).mean())


def classification_metrics(labels: np.ndarray, scores: np.ndarray) -> dict[str, Any]:
    """All metrics of a classifier on one split.

    Parameters
    ----------
    labels : array of shape (n,)
        True classes, integers in [0, C).
    scores : array of shape (n, C)
        Larger is more likely; infinities are allowed, NaN is not.

    Returns
    -------
    dict
        ``balanced_accuracy``; ``interval``, its 95 % interval, of the test images of each class as
        a sample (:func:`mean_of_proportions`); ``accuracy``; ``recall`` (C values, None for an
        absent class); ``average_precision`` and ``roc_auc`` (of class 1 for two
        classes, else means of one class against the rest); ``mcc``; ``confusion`` (true class,
        predicted class); ``support`` (images of each class) and ``n``. With more than 100
        classes ``average_precision``, ``roc_auc`` and ``confusion`` are None.

    References
    ----------
    J. Gorodkin, *Comparing two K-category assignments by a K-category correlation coefficient*,
    Computational Biology and Chemistry 28 (2004): the Matthews correlation for C classes.

    Examples
    --------
    >>> found = classification_metrics([0, 0, 0, 1], [[2, 1], [2, 1], [0, 1], [0, 3]])
    >>> round(found["balanced_accuracy"], 4), found["recall"][1], found["confusion"]
    (0.8333, 1.0, [[2, 1], [0, 1]])
    """
    labels, scores = array_of(labels, "labels"), numeric(scores, "scores").astype(np.float64)
    if labels.ndim != 1 or scores.ndim != 2 or len(labels) != len(scores) or len(labels) == 0:
        raise InputError(
            f"labels (n,) and scores (n, C) must have the same n, at least 1, but are "
            f"{labels.shape} and {scores.shape}."
        )
    reject_nan(scores)
    n_classes = scores.shape[1]
    if labels.dtype.kind not in "iu" or labels.min() < 0 or labels.max() >= n_classes:
        raise InputError(f"labels must be integers from 0 to {n_classes - 1}, the classes.")
    predicted = scores.argmax(axis=1)
    support = np.bincount(labels, minlength=n_classes)
    hits = np.bincount(labels[predicted == labels], minlength=n_classes)
    confusion: list[list[int]] | None = None
    precision = area = None
    if n_classes <= MANY_CLASSES:
        pairs = np.bincount(labels * n_classes + predicted, minlength=n_classes**2)
        confusion = pairs.reshape(n_classes, n_classes).tolist()
        precision, area = _ranking(labels, finite(scores))
    return {
        "balanced_accuracy": mean_recall(hits, support),
        "interval": mean_of_proportions(hits, support),
        "accuracy": float(hits.sum() / support.sum()),
        "recall": [float(h / s) if s else None for h, s in zip(hits, support, strict=True)],
        "average_precision": precision, "roc_auc": area,
        "mcc": _mcc(hits, support, np.bincount(predicted, minlength=n_classes)),
        "confusion": confusion, "support": support.tolist(), "n": len(labels),
    }  # fmt: skip


def finite(scores: np.ndarray) -> np.ndarray:
    """Scores in the same order, infinities replaced by values just outside the finite range.

    Parameters
    ----------
    scores : array of any shape

    Returns
    -------
    array of the same shape

    Examples
    --------
    >>> finite(np.array([0.0, np.inf, 2.0])).tolist()
    [0.0, 3.0, 2.0]
    """
    values = scores[np.isfinite(scores)]
    low, high = (values.min(), values.max()) if len(values) else (0.0, 0.0)
    return np.asarray(np.clip(scores, low - 1, high + 1))


def reject_nan(scores: np.ndarray) -> None:
    """Raise an InputError if scores contain NaN."""
    if np.isnan(scores).any():
        raise InputError("scores contain NaN; training may have diverged: lower learning_rate.")


def _ranking(labels: np.ndarray, scores: np.ndarray) -> tuple[float | None, float | None]:
    """Average precision and ROC AUC, or None where a single class occurs."""
    if scores.shape[1] == 2:
        columns = {1: scores[:, 1] - scores[:, 0]}
    else:
        rest = [np.delete(scores, c, axis=1).max(axis=1) for c in range(scores.shape[1])]
        columns = {c: scores[:, c] - rest[c] for c in range(scores.shape[1])}
    usable = {c: s for c, s in columns.items() if 0 < (labels == c).sum() < len(labels)}
    if not usable:
        return None, None
    found = np.mean([ranking_areas(labels == c, s) for c, s in usable.items()], axis=0)
    return float(found[0]), float(found[1])


def ranking_areas(positive: np.ndarray, scores: np.ndarray) -> tuple[float, float]:
    """Average precision and ROC AUC of scores (n,), as scikit-learn computes them.

    Importing scikit-learn takes a second, longer than a short training run.
    """
    order = np.argsort(-scores, kind="stable")
    ordered = scores[order]
    last = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))  # of each group of ties
    hits = np.cumsum(positive[order])[last].astype(np.float64)
    n = last + 1.0
    recall, fall_out = hits / hits[-1], (n - hits) / (n[-1] - hits[-1])
    precision = np.diff(recall, prepend=0.0) @ (hits / n)
    area = np.diff(fall_out, prepend=0.0) @ (recall + np.append(0.0, recall[:-1])) / 2
    return float(precision), float(area)


def _mcc(hits: np.ndarray, support: np.ndarray, predicted: np.ndarray) -> float:
    """Matthews correlation from the hits, images and predictions of each class; 0 if undefined."""
    true, named = support.astype(np.float64), predicted.astype(np.float64)
    n = true.sum()
    covariance = hits.sum() * n - true @ named
    spread = (n**2 - named @ named) * (n**2 - true @ true)
    return float(covariance / np.sqrt(spread)) if spread > 0 else 0.0
