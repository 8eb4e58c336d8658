"""Balanced accuracy and what stands beside it, with a bootstrap interval.

Balanced accuracy can be bought by trading everything else away, so plain accuracy, average
precision, ROC AUC, Matthews correlation and the recall of every class are always given too.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from clmle.checks import array_of, numeric, seed_number, whole
from clmle.errors import InputError

MANY_CLASSES = 100  # beyond, a table of all against all helps nobody, nor ranking one against all


def balanced_accuracy(confusion: np.ndarray) -> float:
    """Mean recall over the classes that occur, from counts (true, predicted), (C, C).

    For two classes 0.5 (tp / Np + tn / Nn), the paper's measure.

    Raises
    ------
    InputError
        No square of counts, or no count at all.
    """
    confusion = numeric(confusion, "confusion")
    square = confusion.ndim == 2 and confusion.shape[0] == confusion.shape[1]
    if not square or not (np.isfinite(confusion) & (confusion >= 0)).all() or not confusion.any():
        raise InputError(
            f"confusion must be counts (C, C), not all of them 0, but is {confusion.shape}."
        )
    return _mean_recall(np.diag(confusion), confusion.sum(axis=1))


def mean_recall(labels: np.ndarray, predicted: np.ndarray) -> float:
    """Balanced accuracy of predicted classes (n,), without a confusion matrix."""
    total = np.bincount(labels)
    right = np.bincount(labels[predicted == labels], minlength=len(total))
    return _mean_recall(right, total)


def _mean_recall(right: np.ndarray, total: np.ndarray) -> float:
    """Mean over the classes that occur of correct predictions (C,) over images (C,)."""
    present = total > 0
    return float((right[present] / total[present]).mean())


def classification_metrics(
    labels: np.ndarray, scores: np.ndarray, *, n_bootstrap: int = 1000, seed: int = 0
) -> dict[str, Any]:
    """All figures of one split, as plain numbers and lists.

    Parameters
    ----------
    labels : (n,) whole numbers in [0, C)
    scores : (n, C), larger is likelier; infinities are allowed, NaN is not.
    n_bootstrap : int
        Redraws of the interval: images of each class are redrawn among themselves.

    Returns
    -------
    dict
        balanced_accuracy, interval (95 %), accuracy, recall (C; None for an absent class),
        average_precision and roc_auc (of class 1 where there are two classes, else means of
        one against the rest), mcc, confusion (true, predicted), support (C; images of each
        class), n. Of more than 100 classes average_precision, roc_auc and confusion are None.
    """
    labels, scores = array_of(labels, "labels"), numeric(scores, "scores").astype(np.float64)
    whole(n_bootstrap, "n_bootstrap", 1)
    seed_number(seed)
    if labels.ndim != 1 or scores.ndim != 2 or len(labels) != len(scores) or len(labels) == 0:
        raise InputError(
            f"labels (n,) and scores (n, C) must agree and hold a row, but are "
            f"{labels.shape} and {scores.shape}."
        )
    if np.isnan(scores).any():
        raise InputError("scores hold NaN; the training may have diverged: lower learning_rate.")
    n_classes = scores.shape[1]
    if labels.dtype.kind not in "iu" or labels.min() < 0 or labels.max() >= n_classes:
        raise InputError(f"labels must be whole numbers from 0 to {n_classes - 1}, the classes.")
    predicted = scores.argmax(axis=1)
    total = np.bincount(labels, minlength=n_classes)
    right = np.bincount(labels[predicted == labels], minlength=n_classes)
    named = np.bincount(predicted, minlength=n_classes)
    confusion: list[list[int]] | None = None
    precision = area = None
    if n_classes <= MANY_CLASSES:
        places = np.bincount(labels * n_classes + predicted, minlength=n_classes**2)
        confusion = places.reshape(n_classes, n_classes).tolist()
        precision, area = _ranking(labels, finite(scores))
    return {
        "balanced_accuracy": _mean_recall(right, total),
        "interval": _interval(right, total, n_bootstrap, seed),
        "accuracy": float(right.sum() / total.sum()),
        "recall": [float(r / t) if t else None for r, t in zip(right, total, strict=True)],
        "average_precision": precision,
        "roc_auc": area,
        "mcc": _mcc(right, total, named),
        "confusion": confusion,
        "support": total.tolist(),
        "n": len(labels),
    }


def finite(scores: np.ndarray) -> np.ndarray:
    """Scores with infinities moved just beyond the finite ones; the order stays."""
    values = scores[np.isfinite(scores)]
    low, high = (values.min(), values.max()) if len(values) else (0.0, 0.0)
    moved: np.ndarray = np.clip(scores, low - 1, high + 1)
    return moved


def _ranking(labels: np.ndarray, scores: np.ndarray) -> tuple[float | None, float | None]:
    """Average precision and ROC AUC, or None where a single class occurs."""
    from sklearn.metrics import average_precision_score, roc_auc_score

    if scores.shape[1] == 2:
        columns = {1: scores[:, 1] - scores[:, 0]}
    else:
        rest = [np.delete(scores, c, axis=1).max(axis=1) for c in range(scores.shape[1])]
        columns = {c: scores[:, c] - rest[c] for c in range(scores.shape[1])}
    usable = {c: s for c, s in columns.items() if 0 < (labels == c).sum() < len(labels)}
    if not usable:
        return None, None
    precision = [average_precision_score(labels == c, s) for c, s in usable.items()]
    area = [roc_auc_score(labels == c, s) for c, s in usable.items()]
    return float(np.mean(precision)), float(np.mean(area))


def _interval(right: np.ndarray, total: np.ndarray, n_bootstrap: int, seed: int) -> list[float]:
    """95 % interval of balanced accuracy.

    Redrawing the images of one class makes its number of hits binomial: no image is touched.
    """
    present = total > 0
    hits = np.random.default_rng(seed).binomial(
        total[present], right[present] / total[present], size=(n_bootstrap, int(present.sum()))
    )
    means = (hits / total[present]).mean(axis=1)
    return [float(v) for v in np.quantile(means, [0.025, 0.975])]


def _mcc(right: np.ndarray, total: np.ndarray, named: np.ndarray) -> float:
    """Matthews correlation from each class's images that are named rightly, that there are, and
    that are named so (Gorodkin 2004); 0 where undefined."""
    true, predicted = total.astype(np.float64), named.astype(np.float64)
    n = true.sum()
    covariance = right.sum() * n - true @ predicted
    spread = (n**2 - predicted @ predicted) * (n**2 - true @ true)
    return float(covariance / np.sqrt(spread)) if spread > 0 else 0.0
