"""Cost curves: what a classifier costs at all costs and class frequencies (Drummond and Holte)."""

from typing import Any

import numpy as np

from clmle.errors import InputError
from clmle.metrics.operating_points import counts_at, operating_points

GRID = np.linspace(0, 1, 201)


def probability_cost(fraction: float, false_negative: float, false_positive: float) -> float:
    """Fraction of the largest possible cost that positive images contribute: the x axis.

    Parameters
    ----------
    fraction : float
        Fraction of positive images.
    false_negative, false_positive : float
        Cost of one missed positive image, and of one false alarm.

    Returns
    -------
    float
        fraction * false_negative / (fraction * false_negative + (1 - fraction) * false_positive).

    References
    ----------
    C. Drummond and R. Holte, *Cost curves*, Machine Learning 65 (2006).

    Examples
    --------
    >>> probability_cost(0.1, 9, 1)
    0.5
    """
    if not (0 <= fraction <= 1 and false_negative > 0 and false_positive > 0):
        raise InputError("fraction must be in [0, 1] and the costs above 0.")
    missed = fraction * false_negative
    return float(missed / (missed + (1 - fraction) * false_positive))


def cost_curve(positive: Any, scores: Any) -> tuple[np.ndarray, np.ndarray]:
    """Cost with the best threshold for every probability cost: the lower envelope.

    The normalized expected cost is the expected cost divided by that of wrong predictions only.
    Since every threshold is chosen on these very images, the curve is a bound that no choice on
    other images reaches; :func:`validated_cost_curve` shows such a choice.

    Parameters
    ----------
    positive, scores : arrays of shape (n,)
        As in :func:`operating_points`.

    Returns
    -------
    (probability cost (201,), normalized expected cost (201,))
        Never above min(x, 1 - x), the cost of a constant prediction.

    References
    ----------
    C. Drummond and R. Holte, *Cost curves: an improved method for visualizing classifier
    performance*, Machine Learning 65 (2006).

    Examples
    --------
    >>> x, cost = cost_curve([0, 0, 1, 0, 1], [0.1, 0.2, 0.3, 0.6, 0.9])
    >>> float(x[100]), round(float(cost[100]), 3)
    (0.5, 0.167)
    """
    miss, alarm = _rates(positive, scores)
    best = np.full(len(GRID), np.inf)
    for start in range(0, len(miss), 4096):  # bounded memory
        part = slice(start, start + 4096)
        lines = np.outer(miss[part], GRID) + np.outer(alarm[part], 1 - GRID)
        best = np.minimum(best, lines.min(axis=0))
    return GRID.copy(), best


def validated_cost_curve(
    validation: tuple[Any, Any], test: tuple[Any, Any]
) -> tuple[np.ndarray, np.ndarray]:
    """Cost on test images, with the threshold of every probability cost from validation images.

    Parameters
    ----------
    validation, test : pairs of arrays of shapes (n,) and (m,)
        Positive and scores of the images, as in :func:`operating_points`.

    Returns
    -------
    (probability cost (201,), normalized expected cost (201,))

    References
    ----------
    C. Drummond and R. Holte, *Cost curves: an improved method for visualizing classifier
    performance*, Machine Learning 65 (2006), section 5: performance and selection curves.

    Examples
    --------
    >>> images = [0, 0, 1, 0, 1], [0.1, 0.2, 0.3, 0.6, 0.9]
    >>> x, cost = validated_cost_curve(images, images)
    >>> bool(np.allclose(cost, cost_curve(*images)[1]))
    True
    """
    points = operating_points(*validation)
    miss, alarm = _rates(*validation)
    cost = np.empty(len(GRID))
    known: dict[float, tuple[float, float]] = {}
    for i, x in enumerate(GRID):
        total = x * miss + (1 - x) * alarm
        best = np.flatnonzero(total <= total.min() + 1e-12)
        threshold = float(points.thresholds[best[(len(best) - 1) // 2]])
        if threshold not in known:
            known[threshold] = error_rates(counts_at(*test, threshold))
        cost[i] = x * known[threshold][0] + (1 - x) * known[threshold][1]
    return GRID.copy(), cost


def error_rates(counts: dict[str, Any]) -> tuple[float, float]:
    """Miss rate and false alarm rate of :func:`counts_at`: the ends of its line in a cost curve.

    Parameters
    ----------
    counts : dict
        Numbers of true and false positives and negatives.

    Returns
    -------
    (false negative rate, false positive rate)
        The normalized expected cost at x is the first times x plus the second times 1 - x.

    References
    ----------
    C. Drummond and R. Holte, *Cost curves*, Machine Learning 65 (2006).

    Examples
    --------
    >>> error_rates({"true_positives": 3, "false_negatives": 1, "false_positives": 2,
    ...              "true_negatives": 8})
    (0.25, 0.2)
    """
    n = counts["true_positives"] + counts["false_negatives"]
    rest = counts["false_positives"] + counts["true_negatives"]
    return counts["false_negatives"] / n, counts["false_positives"] / rest


def _rates(positive: Any, scores: Any) -> tuple[np.ndarray, np.ndarray]:
    """False negative and false positive rate (m,) at every threshold."""
    points = operating_points(positive, scores)
    return (
        1 - points.true_positives / points.n_positive,
        points.false_positives / points.n_negative,
    )
