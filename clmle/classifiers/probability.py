"""Class probabilities: the softmax of scores, at a temperature fitted on validation images."""

import numpy as np

from clmle.checks import number
from clmle.classifiers._base import log_softmax

BOUND = 50.0  # replaces infinite scores, where only one class or no cluster of it is retrieved
LOG_TEMPERATURES = (-5.0, 7.0)  # range of the fit
MOST = 1 << 23  # scores of a fit; of more, a part of the images is taken


def class_probabilities(scores: np.ndarray, temperature: float | np.ndarray = 1.0) -> np.ndarray:
    """Return the probability of each class: softmax(scores / temperature).

    The class with the largest score has the largest probability.

    Parameters
    ----------
    scores : (n, C) or (n, A, C) array
        Class scores, for A attributes of each. Infinite scores count as 50 and -50.
    temperature : float, or (A,) array
        Above 0; larger values move the probabilities toward 1 / C.

    Returns
    -------
    array of the shape of ``scores``, float64
        Every row of classes sums to 1.

    References
    ----------
    Guo, Pleiss, Sun, Weinberger: On Calibration of Modern Neural Networks (ICML 2017).

    Examples
    --------
    >>> class_probabilities(np.array([[0.0, 2.0]]), 2.0).round(2).tolist()
    [[0.27, 0.73]]
    """
    divisor = np.asarray(temperature, dtype=np.float64)
    number(divisor.min(), "temperature", above=0)
    scaled = _without_infinities(scores) / (divisor[:, None] if divisor.ndim else divisor)
    rows = log_softmax(scaled.reshape(-1, scaled.shape[-1]))
    return np.asarray(np.exp(rows).reshape(scaled.shape))


def fit_temperature(scores: np.ndarray, labels: np.ndarray) -> float | list[float]:
    """Return the temperature with the largest likelihood of the labels of validation images.

    As in Platt's method, a label of a class counts as (n + 1) / (n + 2) of it, n the number of
    images: without a wrong prediction the likelihood would grow without end.

    Parameters
    ----------
    scores : (n, C) or (n, A, 2) array
        Class scores of the validation images.
    labels : (n,) or (n, A) array
        Their classes; -1 where an attribute is unknown.

    Returns
    -------
    float, or a list of A
        1 where there is no image with a label.

    References
    ----------
    Guo, Pleiss, Sun, Weinberger: On Calibration of Modern Neural Networks (ICML 2017). Platt:
    Probabilistic Outputs for Support Vector Machines (1999), for the labels.

    Examples
    --------
    >>> scores = np.array([[4.0, 0.0]] * 9 + [[0.0, 4.0]] * 9)
    >>> labels = np.array([0] * 8 + [1] * 9 + [0])  # one label in nine contradicts the score
    >>> fit_temperature(scores, labels) > 1
    True
    """
    if labels.ndim == 2:
        found = []
        for a in range(labels.shape[1]):
            known = labels[:, a] >= 0
            found.append(_fit(scores[known, a], labels[known, a]))
        return found
    return _fit(scores, labels)


def _fit(scores: np.ndarray, labels: np.ndarray) -> float:
    from scipy.optimize import minimize_scalar

    if not len(labels):
        return 1.0
    step = scores.size // MOST + 1
    scores, labels = _without_infinities(scores[::step]), labels[::step]
    n, n_classes = scores.shape
    own = np.full((n, n_classes), 1 / ((n + 2) * max(1, n_classes - 1)))
    own[np.arange(n), labels] = (n + 1) / (n + 2)

    def loss(log_temperature: float) -> float:
        found = float((own * log_softmax(scores / np.exp(log_temperature))).sum())
        return -found / n

    best = minimize_scalar(loss, bounds=LOG_TEMPERATURES, method="bounded")
    return float(np.exp(best.x))


def _without_infinities(scores: np.ndarray) -> np.ndarray:
    return np.nan_to_num(np.asarray(scores, dtype=np.float64), posinf=BOUND, neginf=-BOUND)
