"""Points of the ROC and the precision-recall curve of one class against the rest."""

from __future__ import annotations

import numpy as np

from clmle.checks import array_of, numeric
from clmle.errors import InputError
from clmle.metrics.classification import finite

POINTS = 400  # of a curve that is drawn


def log_odds(scores: np.ndarray) -> np.ndarray:
    """How far class 1 is above class 0, (n,), from scores (n, 2); finite."""
    values = finite(numeric(scores, "scores").astype(np.float64))
    if np.isnan(values).any():
        raise InputError("scores hold NaN; the training may have diverged: lower learning_rate.")
    if values.ndim != 2 or values.shape[1] != 2:
        raise InputError(f"scores must be (n, 2), one column a class, not {values.shape}.")
    above: np.ndarray = values[:, 1] - values[:, 0]
    return above


def roc_points(labels: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """False and true positive rates of class 1, from (0, 0) to (1, 1), and the area under all.

    ``labels`` (n,) are 0 or 1, ``scores`` (n, 2). At most about 400 points are kept.

    Raises
    ------
    InputError
        Scores of another shape, or labels of a single class.
    """
    from sklearn.metrics import roc_auc_score, roc_curve

    wanted, odds = _checked(labels, scores), log_odds(scores)
    false, true, _ = roc_curve(wanted, odds)
    kept = _thinned(len(false))
    return false[kept], true[kept], float(roc_auc_score(wanted, odds))


def precision_recall_points(
    labels: np.ndarray, scores: np.ndarray
) -> tuple[np.ndarray, np.ndarray, float]:
    """Recall (growing) and precision of class 1, and the average precision of all points.

    Takes and raises what :func:`roc_points` does.
    """
    from sklearn.metrics import average_precision_score, precision_recall_curve

    wanted, odds = _checked(labels, scores), log_odds(scores)
    precision, recall, _ = precision_recall_curve(wanted, odds, drop_intermediate=True)
    kept = _thinned(len(recall))[::-1]
    return recall[kept], precision[kept], float(average_precision_score(wanted, odds))


def _checked(labels: np.ndarray, scores: np.ndarray) -> np.ndarray:
    wanted, scores = array_of(labels, "labels"), numeric(scores, "scores")
    if wanted.ndim != 1 or scores.ndim != 2:
        raise InputError(
            f"labels must be (n,) and scores (n, 2), but are {wanted.shape} and {scores.shape}."
        )
    if wanted.dtype.kind not in "fiub":
        raise InputError(f"labels must be 0 and 1, but are of type {wanted.dtype}.")
    if len(wanted) != len(scores):
        raise InputError(f"There are {len(wanted)} labels for {len(scores)} rows of scores.")
    if set(np.unique(wanted)) != {0, 1}:
        raise InputError("A curve needs images of both kinds, labeled 0 and 1.")
    return wanted


def _thinned(n: int) -> np.ndarray:
    """Places of at most POINTS of n, both ends among them."""
    return np.unique(np.linspace(0, n - 1, min(n, POINTS)).round().astype(int))
