"""Thresholds on the score of one class: counts, costs, and precision at a fixed recall.

Choose a threshold on validation images and apply it to test images. Chosen on the test images
themselves, its metrics are too optimistic.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from clmle.checks import number, numeric
from clmle.errors import InputError
from clmle.metrics.intervals import wilson

NEVER = float(np.finfo(np.float64).max)  # thresholds of constant predictions
ALWAYS = -NEVER


@dataclass(frozen=True)
class OperatingPoints:
    """True and false positives at every threshold that makes a difference.

    Made by :func:`operating_points`. An image is predicted positive if its score is at least the
    threshold.

    Parameters
    ----------
    thresholds : (m,) array
        Decreasing: the largest float (nothing is predicted positive), between every two different
        scores, and the smallest float (everything is).
    true_positives, false_positives : (m,) arrays
        Numbers of images, from 0 to all.
    """

    thresholds: np.ndarray
    true_positives: np.ndarray
    false_positives: np.ndarray

    @property
    def n_positive(self) -> int:
        """Number of positive images."""
        return int(self.true_positives[-1])

    @property
    def n_negative(self) -> int:
        """Number of negative images."""
        return int(self.false_positives[-1])

    def costs(self, false_negative: float, false_positive: float) -> np.ndarray:
        """Total cost (m,) at every threshold."""
        missed = self.n_positive - self.true_positives
        return np.asarray(false_negative * missed + false_positive * self.false_positives)


def operating_points(positive: Any, scores: Any) -> OperatingPoints:
    """Count the predictions at every threshold that makes a difference.

    Parameters
    ----------
    positive : array of shape (n,)
        Whether the image is of the class to detect (1 or True); both values must occur.
    scores : array of shape (n,)
        Larger is more likely, for example the probability of that class.

    Returns
    -------
    OperatingPoints

    Examples
    --------
    >>> points = operating_points([0, 0, 1], [0.1, 0.6, 0.8])
    >>> points.thresholds[1:-1].round(2).tolist(), points.true_positives.tolist()
    ([0.7, 0.35], [0, 1, 1, 1])
    """
    y, s = _checked(positive, scores)
    order = np.argsort(-s, kind="stable")
    ordered = s[order]
    last = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))  # of each group of ties
    hits = np.cumsum(y[order])[last]
    middle = (ordered[last[:-1]] + ordered[last[:-1] + 1]) / 2
    thresholds = np.concatenate([[NEVER], middle, [ALWAYS]])
    return OperatingPoints(
        thresholds, np.concatenate([[0], hits]), np.concatenate([[0], last + 1 - hits])
    )


def counts_at(positive: Any, scores: Any, threshold: float) -> dict[str, Any]:
    """Count the predictions at one threshold.

    Parameters
    ----------
    positive, scores : arrays of shape (n,)
        As in :func:`operating_points`.
    threshold : float
        Images with at least this score are predicted positive.

    Returns
    -------
    dict
        ``threshold``, ``true_positives``, ``false_positives``, ``false_negatives``,
        ``true_negatives``; ``recall`` and ``precision`` with ``recall_interval`` and
        ``precision_interval`` (Wilson, 95 %); the precision is None where nothing is predicted
        positive.

    Examples
    --------
    >>> found = counts_at([0, 0, 1], [0.1, 0.6, 0.8], 0.5)
    >>> found["true_positives"], found["false_positives"], found["precision"]
    (1, 1, 0.5)
    """
    y, s = _checked(positive, scores)
    called = s >= number(threshold, "threshold")
    hits, n_called, n = int((called & y).sum()), int(called.sum()), int(y.sum())
    return {
        "threshold": float(threshold),
        "true_positives": hits, "false_positives": n_called - hits, "false_negatives": n - hits,
        "true_negatives": len(y) - n - n_called + hits,
        "recall": hits / n, "recall_interval": wilson(hits, n),
        "precision": hits / n_called if n_called else None,
        "precision_interval": wilson(hits, n_called),
    }  # fmt: skip


def errors_at(positive: Any, scores: Any, thresholds: Any) -> tuple[np.ndarray, np.ndarray]:
    """Count misses and false alarms at many thresholds.

    Parameters
    ----------
    positive, scores : arrays of shape (n,)
        As in :func:`operating_points`.
    thresholds : array of shape (m,)

    Returns
    -------
    (false negatives (m,), false positives (m,))

    Examples
    --------
    >>> missed, alarms = errors_at([0, 0, 1], [0.1, 0.6, 0.8], [0.5, 0.7, 0.9])
    >>> missed.tolist(), alarms.tolist()
    ([0, 0, 1], [1, 0, 0])
    """
    y, s = _checked(positive, scores)
    t = numeric(thresholds, "thresholds")
    alarms = (~y).sum() - np.searchsorted(np.sort(s[~y]), t)
    return np.searchsorted(np.sort(s[y]), t), np.asarray(alarms)


def cost_of(counts: dict[str, Any], false_negative: float, false_positive: float) -> float:
    """Compute the cost of the errors that :func:`counts_at` counts.

    Parameters
    ----------
    counts : dict
        With ``false_negatives`` and ``false_positives``.
    false_negative, false_positive : float
        Cost of one missed positive image, and of one false alarm.

    Returns
    -------
    float

    Examples
    --------
    >>> cost_of({"false_negatives": 2, "false_positives": 5}, 10, 1)
    25.0
    """
    return float(
        false_negative * counts["false_negatives"] + false_positive * counts["false_positives"]
    )


def threshold_for_cost(
    positive: Any, scores: Any, *, false_negative: float, false_positive: float
) -> float:
    """Choose the threshold with the lowest total cost, on validation images.

    Parameters
    ----------
    positive, scores : arrays of shape (n,)
        Of the validation images, as in :func:`operating_points`.
    false_negative, false_positive : float
        Cost of one missed positive image, and of one false alarm; both above 0.

    Returns
    -------
    float
        Of several thresholds with the lowest cost, the one in the middle.

    References
    ----------
    C. Elkan, *The foundations of cost-sensitive learning*, IJCAI 2001.

    Examples
    --------
    >>> y, s = [0, 0, 1, 0, 1], [0.1, 0.2, 0.3, 0.6, 0.9]
    >>> threshold_for_cost(y, s, false_negative=10, false_positive=1)
    0.25
    >>> threshold_for_cost(y, s, false_negative=1, false_positive=10)
    0.75
    """
    costs = [
        number(value, name, above=0)
        for name, value in (("false_negative", false_negative), ("false_positive", false_positive))
    ]
    points = operating_points(positive, scores)
    total = points.costs(*costs)
    best = np.flatnonzero(total <= total.min() * (1 + 1e-12))
    return float(points.thresholds[best[(len(best) - 1) // 2]])


def precision_at_recall(positive: Any, scores: Any, recall: float) -> dict[str, Any]:
    """Find the threshold with the highest precision among those that reach a recall.

    Parameters
    ----------
    positive, scores : arrays of shape (n,)
        As in :func:`operating_points`.
    recall : float
        Recall to reach, above 0 and at most 1.

    Returns
    -------
    dict
        Of :func:`counts_at` for that threshold, the highest of equals.

    References
    ----------
    J. Davis and M. Goadrich, *The relationship between precision-recall and ROC curves*,
    ICML 2006.

    Examples
    --------
    >>> found = precision_at_recall([0, 0, 1, 0, 1], [0.1, 0.2, 0.3, 0.6, 0.9], 0.9)
    >>> round(found["precision"], 3), found["recall"], round(found["threshold"], 2)
    (0.667, 1.0, 0.25)
    """
    wanted = number(recall, "recall", above=0)
    if wanted > 1:
        raise InputError(f"recall is {recall!r}, but is a fraction, at most 1.")
    points = operating_points(positive, scores)
    hits = points.true_positives[1:]
    precision = hits / (hits + points.false_positives[1:])
    precision[hits < wanted * points.n_positive - 1e-9] = -1
    return counts_at(positive, scores, float(points.thresholds[1:][precision.argmax()]))


def _checked(positive: Any, scores: Any) -> tuple[np.ndarray, np.ndarray]:
    y, s = numeric(positive, "positive"), numeric(scores, "scores").astype(np.float64)
    if y.ndim != 1 or y.shape != s.shape:
        raise InputError(f"positive and scores must be (n,), but are {y.shape} and {s.shape}.")
    if set(np.unique(y)) != {0, 1}:
        raise InputError("positive must be 1 (or True) and 0, and both must occur.")
    if not np.isfinite(s).all():
        raise InputError("scores must be finite.")
    return y.astype(bool), s
