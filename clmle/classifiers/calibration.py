"""Calibration: weights and offsets of class scores, fitted on validation data.

Maximizing balanced accuracy on a few dozen images of a rare class overfits them, and where the
scores separate the classes its maximum is not unique. Class-balanced logistic regression (Platt
scaling with class weights) is smooth in both cases.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from clmle.classifiers._base import Classifier, Validation


def calibrate(classifier: Classifier, validation: Validation, how: str) -> Classifier:
    """Tune the thresholds of a classifier on validation data.

    Parameters
    ----------
    classifier : Classifier
    validation : tuple of (n, d), (n, C) and (n,) arrays
        Features z, logits and labels of the validation images; for A attributes (n, A, d),
        (n, A, 2) and (n, A), with label -1 where an attribute is unknown.
    how : {"none", "offsets"}
        "none" returns the classifier unchanged. "offsets" adds one offset per class, fitted by
        :func:`balanced_calibration`; a StackedClassifier already has offsets and is unchanged.

    Returns
    -------
    Classifier

    Examples
    --------
    >>> from clmle.classifiers import HeadClassifier
    >>> logits = np.array([[1.0, 0.0], [1.0, 0.0], [1.0, 0.9], [1.0, -1.0]])
    >>> validation = np.zeros((4, 2)), logits, np.array([0, 0, 1, 0])
    >>> calibrate(HeadClassifier(), validation, "offsets").scores(*validation[:2]).argmax(axis=1)
    array([0, 0, 1, 0])
    """
    return classifier if how == "none" else classifier.calibrated(validation)


def balanced_calibration(
    scores: Sequence[np.ndarray], labels: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Fit weights and offsets of class scores by class-balanced logistic regression.

    Minimizes the mean over classes of the mean of -log softmax(sum_j w_j s_j + b) over the rows
    of a class, plus sum_j (w_j sd(s_j))^2 / (2 n). For two classes and J = 1 this is
    scikit-learn's LogisticRegression(class_weight="balanced", C=1) on the standardized
    difference of the scores.
    """
    from scipy.optimize import minimize

    from clmle.classifiers._base import log_softmax

    n, n_classes = scores[0].shape
    stacked = np.stack([np.asarray(s, dtype=np.float64) for s in scores])  # (J, n, C)
    stacked = stacked - stacked.mean(axis=2, keepdims=True)
    if n_classes == 2:  # the difference is standardized
        spread = (stacked[:, :, 1] - stacked[:, :, 0]).std(axis=1)
    else:
        spread = stacked.std(axis=(1, 2))
    spread = np.maximum(spread, 1e-9)
    stacked = stacked / spread[:, None, None]
    present = np.bincount(labels, minlength=n_classes)
    row_weight = 1 / (present[labels] * (present > 0).sum())
    own = np.arange(n), labels
    kinds = len(scores)

    def objective(x: np.ndarray) -> tuple[float, np.ndarray]:
        w, b = x[:kinds], np.concatenate([[0.0], x[kinds:]])
        z = np.tensordot(w, stacked, axes=1) + b
        log_p = log_softmax(z)
        value = -(row_weight * log_p[own]).sum() + (w**2).sum() / (2 * n)
        slope = np.exp(log_p)
        slope[own] -= 1
        slope *= row_weight[:, None]
        gradient = [(slope * s).sum() for s in stacked] + w / n
        return float(value), np.concatenate([gradient, slope.sum(axis=0)[1:]])

    start = np.concatenate([np.ones(kinds), np.zeros(n_classes - 1)])
    # The offset of a class without a validation image cannot be fitted and stays near 0.
    limits = [(0, None)] * kinds + [(-50.0, 50.0) if m else (0.0, 0.0) for m in present[1:]]
    found = minimize(objective, start, jac=True, bounds=limits, method="L-BFGS-B")
    offset = np.concatenate([[0.0], found.x[kinds:]])
    return found.x[:kinds] / spread, offset - offset.mean()
