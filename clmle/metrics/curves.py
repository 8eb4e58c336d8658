"""Points of the ROC curve and the precision-recall curve of class 1 of two classes."""

import numpy as np

from clmle.checks import array_of, numeric
from clmle.errors import InputError
from clmle.metrics.classification import finite, reject_nan

POINTS = 400  # of a drawn curve


def log_odds(scores: np.ndarray) -> np.ndarray:
    """Score of class 1 minus score of class 0.

    Parameters
    ----------
    scores : array of shape (n, 2)
        Scores of the two classes; infinities are allowed.

    Returns
    -------
    array of shape (n,)
        Finite differences.

    Examples
    --------
    >>> log_odds([[0.0, 1.0], [2.0, 0.5]]).tolist()
    [1.0, -1.5]
    """
    values = finite(numeric(scores, "scores").astype(np.float64))
    reject_nan(values)
    if values.ndim != 2 or values.shape[1] != 2:
        raise InputError(f"scores must be (n, 2), one column a class, not {values.shape}.")
    return np.asarray(values[:, 1] - values[:, 0])


def roc_points(labels: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """ROC curve of class 1.

    Parameters
    ----------
    labels : array of shape (n,)
        0 or 1; both must occur.
    scores : array of shape (n, 2)
        Scores of the two classes.

    Returns
    -------
    (false positive rates (m,), true positive rates (m,), area)
        From (0, 0) to (1, 1), at most 400 points; the area under the complete curve.

    Examples
    --------
    >>> false, true, area = roc_points([0, 0, 1], [[2, 0], [0, 1], [0, 2]])
    >>> true.tolist(), area
    ([0.0, 1.0, 1.0], 1.0)
    """
    from sklearn.metrics import roc_auc_score, roc_curve

    labels, odds = _checked(labels, scores), log_odds(scores)
    false, true, _ = roc_curve(labels, odds)
    kept = _thinned(len(false))
    return false[kept], true[kept], float(roc_auc_score(labels, odds))


def precision_recall_points(
    labels: np.ndarray, scores: np.ndarray
) -> tuple[np.ndarray, np.ndarray, float]:
    """Precision-recall curve of class 1.

    Parameters
    ----------
    labels, scores : arrays of shape (n,) and (n, 2)
        As in :func:`roc_points`.

    Returns
    -------
    (recall (m,), precision (m,), average precision)
        Increasing recall, at most 400 points; the average precision of the complete curve.

    Examples
    --------
    >>> precision_recall_points([0, 0, 1], [[2, 0], [0, 1], [0, 2]])[2]
    1.0
    """
    from sklearn.metrics import average_precision_score, precision_recall_curve

    labels, odds = _checked(labels, scores), log_odds(scores)
    precision, recall, _ = precision_recall_curve(labels, odds, drop_intermediate=True)
    kept = _thinned(len(recall))[::-1]
    return recall[kept], precision[kept], float(average_precision_score(labels, odds))


def _checked(labels: np.ndarray, scores: np.ndarray) -> np.ndarray:
    labels, scores = array_of(labels, "labels"), numeric(scores, "scores")
    if labels.ndim != 1 or scores.ndim != 2 or len(labels) != len(scores):
        raise InputError(
            f"labels must be (n,) and scores (n, 2), but are {labels.shape} and {scores.shape}."
        )
    if labels.dtype.kind not in "fiub" or set(np.unique(labels)) != {0, 1}:
        raise InputError("labels must be 0 and 1, and both must occur: a curve needs both classes.")
    return labels


def _thinned(n: int) -> np.ndarray:
    """Indices of at most POINTS of n points, including both ends."""
    return np.unique(np.linspace(0, n - 1, min(n, POINTS)).round().astype(int))
