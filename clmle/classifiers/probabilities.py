"""Probabilities of classes from scores, fitted on validation data.

The scores of a classifier for imbalanced classes are those of equally frequent classes. A cost, or
a person who reads predictions, needs the probability among images as they occur.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from clmle.checks import array_of, numeric
from clmle.classifiers._base import log_softmax
from clmle.classifiers.calibration import logistic_calibration
from clmle.errors import InputError
from clmle.metrics.classification import reject_nan

BOUND = 1e6  # beyond it a score says no more
# In place of infinite scores, where only one class or no cluster of it is retrieved. It depends on
# no other image: a prediction is the same in any batch.
INFINITE = 50.0
MOST = 1 << 22  # scores that are fitted; of more, a part of the images is taken
MANY_CLASSES = 100  # with more, an offset of each would be fitted on a few images


@dataclass(frozen=True)
class ProbabilityMap:
    """Map from class scores s to probabilities softmax(weight * s + offset).

    Made by :func:`fit_probabilities`.

    Parameters
    ----------
    weight : float
        At least 0; the inverse of a temperature.
    offset : (C,) array
        One for each class.

    Examples
    --------
    >>> ProbabilityMap(1.0, np.array([0.0, 0.0])).probabilities([[0.0, 0.0]]).tolist()
    [[0.5, 0.5]]
    """

    weight: float
    offset: np.ndarray

    def to_dict(self) -> dict[str, Any]:
        """Return the map as plain values, from which ``ProbabilityMap(**values)`` makes it."""
        return {"weight": self.weight, "offset": np.asarray(self.offset).tolist()}

    def probabilities(self, scores: np.ndarray) -> np.ndarray:
        """Return the probabilities (n, C), float64, of scores (n, C)."""
        if not len(scores):
            return np.empty((0, len(self.offset)))
        values = _checked(scores)
        if values.shape[1] != len(self.offset):
            raise InputError(
                f"scores have {values.shape[1]} classes, but the map was fitted on "
                f"{len(self.offset)}."
            )
        return np.asarray(np.exp(log_softmax(self.weight * values + self.offset)))


def fit_probabilities(scores: np.ndarray, labels: np.ndarray) -> ProbabilityMap:
    """Fit the probabilities of classes to the scores of validation images.

    Minimizes the negative log-likelihood of softmax(w s + b) with w at least 0: for two classes
    Platt scaling, for more temperature scaling with an offset per class. The validation images
    must have the class frequencies of the images that are predicted later.

    Parameters
    ----------
    scores : array of shape (n, C)
        Scores of the validation images; infinities are allowed.
    labels : array of shape (n,)
        Their classes, integers in [0, C). The offset of a class that does not occur stays 0.

    Returns
    -------
    ProbabilityMap

    Raises
    ------
    InputError
        If the shapes or the classes contradict this description.

    References
    ----------
    J. Platt, *Probabilistic outputs for support vector machines*, Advances in Large Margin
    Classifiers, 1999. C. Guo et al., *On calibration of modern neural networks*, ICML 2017.

    Examples
    --------
    >>> scores = np.array([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [1.0, 0.0]])
    >>> fitted = fit_probabilities(scores, np.array([0, 0, 0, 1]))
    >>> fitted.probabilities(scores)[0].round(3).tolist()
    [0.75, 0.25]
    """
    values, y = _checked(scores), array_of(labels, "labels")
    if y.ndim != 1 or len(y) != len(values) or not len(y) or y.dtype.kind not in "iu":
        raise InputError(f"labels must be {len(values)} integers, one or more, not {y.shape}.")
    if y.min() < 0 or y.max() >= values.shape[1]:
        raise InputError(f"labels must be integers from 0 to {values.shape[1] - 1}, the classes.")
    weights, offset = logistic_calibration([values], y, np.full(len(y), 1 / len(y)))
    return ProbabilityMap(float(weights[0]), offset)


def fit_probabilities_of_run(scores: np.ndarray, labels: np.ndarray) -> list[ProbabilityMap]:
    """Fit the probabilities of a run: one map, or one for each attribute.

    ``scores`` are (n, C) with ``labels`` (n,), or (n, A, 2) with (n, A), -1 where an attribute is
    unknown. Of many classes the weight alone is fitted.
    """
    if labels.ndim == 2:
        known = [labels[:, a] >= 0 for a in range(labels.shape[1])]
        return [
            fit_probabilities(scores[rows, a], labels[rows, a])
            if rows.any()
            else ProbabilityMap(1.0, np.zeros(2))
            for a, rows in enumerate(known)
        ]
    if scores.shape[1] <= MANY_CLASSES:
        return [fit_probabilities(scores, labels)]
    step = scores.size // MOST + 1
    values, y = _checked(scores[::step]), labels[::step]
    weights, offset = logistic_calibration([values], y, np.full(len(y), 1 / len(y)), False)
    return [ProbabilityMap(float(weights[0]), offset)]


def _checked(scores: np.ndarray) -> np.ndarray:
    values = numeric(scores, "scores").astype(np.float64)
    if values.ndim != 2 or values.shape[1] < 2:
        raise InputError(f"scores must be (n, C), two or more classes, not {values.shape}.")
    reject_nan(values)
    return np.nan_to_num(values, posinf=INFINITE, neginf=-INFINITE).clip(-BOUND, BOUND)
