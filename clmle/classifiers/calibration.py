"""Weights and offsets of class scores, fitted on validation data so that every class counts alike.

Maximizing balanced accuracy itself on a few dozen rare images follows their noise; where the
scores separate, any threshold of a wide gap is as good as another. A balanced logistic regression
(Platt scaling with class weights) is smooth in both cases.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from clmle.classifiers.base import Classifier


def calibrate(
    classifier: Classifier,
    validation: tuple[np.ndarray, np.ndarray, np.ndarray],
    how: str,
) -> Classifier:
    """A classifier with its thresholds tuned on validation data, or as it is.

    Parameters
    ----------
    classifier : Classifier
    validation : tuple of (n, d), (n, C) and (n,) arrays
        Features z, logits and labels of the validation images; for A attributes (n, A, d),
        (n, A, 2) and (n, A), with label -1 where an attribute is unknown.
    how : {"none", "offsets"}
        "offsets" adds one offset per class, fitted by :func:`balanced_calibration`. A
        StackedClassifier already has such offsets and is returned unchanged.

    Returns
    -------
    Classifier
    """
    return classifier if how == "none" else classifier.calibrated(validation)


def balanced_calibration(
    scores: Sequence[np.ndarray], labels: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Weights (J,) >= 0 of J kinds of scores and offsets (C,), by class-balanced cross-entropy.

    Minimizes the mean over classes of the mean of -log softmax(sum_j w_j s_j + b) over the
    class's rows, plus sum_j (w_j sd(s_j))^2 / (2 n), for ``scores`` of (n, C) each and ``labels``
    (n,). Balanced logistic regression (Platt 1999) with a shared weight for all classes; the
    offsets sum to 0. For two classes and one kind of scores this is scikit-learn's
    LogisticRegression(class_weight="balanced", C=1) on the standardized difference of the scores.
    """
    from scipy.optimize import minimize

    n, n_classes = scores[0].shape
    stacked = np.stack([np.asarray(s, dtype=np.float64) for s in scores])  # (J, n, C)
    stacked = stacked - stacked.mean(axis=2, keepdims=True)
    if n_classes == 2:  # the spread of the difference, which is what is standardized
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
        z = z - z.max(axis=1, keepdims=True)
        log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
        value = -(row_weight * log_p[own]).sum() + (w**2).sum() / (2 * n)
        slope = np.exp(log_p)
        slope[own] -= 1
        slope *= row_weight[:, None]
        gradient = [(slope * s).sum() for s in stacked] + w / n
        return float(value), np.concatenate([gradient, slope.sum(axis=0)[1:]])

    start = np.concatenate([np.ones(kinds), np.zeros(n_classes - 1)])
    # Offsets of classes without a validation image stay near 0: nothing is known of them.
    limits = [(0, None)] * kinds + [(-50.0, 50.0) if m else (0.0, 0.0) for m in present[1:]]
    found = minimize(objective, start, jac=True, bounds=limits, method="L-BFGS-B")
    offset = np.concatenate([[0.0], found.x[kinds:]])
    return found.x[:kinds] / spread, offset - offset.mean()
