"""Calibration: class offsets fitted on validation data, in the same way for every classifier.

Maximizing balanced accuracy ("threshold") on a few dozen images of a rare class overfits them, and
where the scores separate the classes its maximum is not unique. Class-balanced logistic regression
("balanced-logistic": Platt scaling with class weights) is smooth in both cases.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from clmle.errors import InputError

if TYPE_CHECKING:
    from clmle.classifiers._base import Classifier, Validation

FEW = 10  # validation images of a class; offsets fitted on fewer are close to arbitrary
MOST_NAMED = 3  # classes in a warning


def calibrate(classifier: Classifier, validation: Validation, how: str) -> Classifier:
    """Fit class offsets of a classifier on validation data.

    A fit after which a single class is predicted on all validation data is not used: the
    classifier is returned unchanged with a warning.

    Parameters
    ----------
    classifier : Classifier
    validation : tuple of (n, d), (n, C) and (n,) arrays
        Features z, logits and labels of the validation images; for A attributes (n, A, d),
        (n, A, 2) and (n, A), with label -1 where an attribute is unknown.
    how : {"none", "threshold", "balanced-logistic"}
        "none" returns the classifier unchanged, the others add one offset per class: "threshold"
        those with the highest balanced accuracy, "balanced-logistic" those of class-balanced
        logistic regression, which also fits the weights of a StackedClassifier again.

    Returns
    -------
    Classifier

    Raises
    ------
    InputError
        If ``how`` is none of these.

    Warns
    -----
    UserWarning
        If a fit is not used, or a class has fewer than 10 validation images.

    Examples
    --------
    >>> from clmle.classifiers import HeadClassifier
    >>> logits = np.array([[1.0, 0.0], [1.0, 0.0], [1.0, 0.9], [1.0, -1.0]])
    >>> validation = np.zeros((4, 2)), logits, np.array([0, 0, 1, 0])
    >>> with warnings.catch_warnings(action="ignore"):  # of few validation images
    ...     tuned = calibrate(HeadClassifier(), validation, "balanced-logistic")
    >>> tuned.scores(*validation[:2]).argmax(axis=1)
    array([0, 0, 1, 0])
    """
    if how not in ("none", *FITS):
        raise InputError(f"how is {how!r}; choose one of: none, {', '.join(FITS)}.")
    found, sentences = fit_calibration(classifier, validation, how)
    for sentence in sentences:
        warnings.warn(sentence, stacklevel=2)
    return found


def fit_calibration(
    classifier: Classifier, validation: Validation, how: str, names: Sequence[str] = ()
) -> tuple[Classifier, list[str]]:
    """Return what :func:`calibrate` does, and its warnings; ``names`` are those of the classes.

    For A attributes they are the names of the attributes.
    """
    if how == "none":
        return classifier, []
    rejected = 0

    def fit(one: Classifier, own: Validation) -> Classifier:
        nonlocal rejected
        found = one.calibrated(own, how)
        if found is not None and (len(np.unique(own[2])) < 2 or _n_predicted(found, own) > 1):
            return found
        rejected += 1
        return one

    found = classifier.with_each(fit, validation)
    sentences = _few_images(validation, names)
    if rejected:
        where = f" for {rejected} attributes" if validation[2].ndim == 2 else ""
        sentences.append(
            f"Calibration is left out{where}: fitted on these validation images, it would always "
            "predict the same class."
        )
    return found, sentences


def _n_predicted(classifier: Classifier, validation: Validation) -> int:
    return len(np.unique(classifier.scores(*validation[:2]).argmax(axis=1)))


def _few_images(validation: Validation, names: Sequence[str]) -> list[str]:
    """A sentence where classes have fewer than FEW validation images."""
    labels, n_classes = validation[2], validation[1].shape[-1]
    if labels.ndim == 1:
        counts = np.bincount(labels, minlength=n_classes)
    else:  # the smaller class of every attribute
        counts = np.minimum((labels == 0).sum(axis=0), (labels == 1).sum(axis=0))
    few = np.flatnonzero(counts < FEW)
    if not len(few):
        return []
    named = [f"{names[c] if len(names) else c} has {counts[c]}" for c in few[:MOST_NAMED]]
    more = f", and {len(few) - MOST_NAMED} more have few" * (len(few) > MOST_NAMED)
    return [
        f"Calibration is uncertain for classes with fewer than {FEW} validation images: "
        f"{', '.join(named)}{more}."
    ]


def threshold_calibration(
    scores: Sequence[np.ndarray], labels: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Offsets (C,) of a single score (n, C) that maximize balanced accuracy; its weight is 1.

    One offset at a time is moved to the middle of its best interval, at most three times each; for
    two classes this is the best threshold.
    """
    (score,) = (np.asarray(s, dtype=np.float64) for s in scores)
    n_classes = score.shape[1]
    gain = 1 / np.bincount(labels)[labels]
    offset = np.zeros(n_classes)
    for _ in range(3):
        before = offset.copy()
        for c in range(n_classes):
            shifted = score + offset
            own = shifted[:, c].copy()
            shifted[:, c] = -np.inf
            # c is predicted where its offset rises by more than this.
            needed = shifted.max(axis=1) - own
            change = np.where(labels == c, gain, -gain * (shifted.argmax(axis=1) == labels))
            order = np.argsort(needed, kind="stable")
            edges, value = needed[order], np.cumsum(change[order])
            apart = np.flatnonzero(np.diff(edges) > 0)  # rises between two samples
            now = change[needed < 0].sum()
            if len(apart) and value[apart].max() > now + 1e-12:
                best = apart[value[apart].argmax()]
                offset[c] += (edges[best] + edges[best + 1]) / 2
        if np.array_equal(before, offset):
            break
    return np.ones(1), offset - offset.mean()


def balanced_calibration(
    scores: Sequence[np.ndarray], labels: np.ndarray, with_offsets: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """Fit weights and offsets of class scores by class-balanced logistic regression.

    Minimizes the mean over classes of the mean of -log softmax(sum_j w_j s_j + b) over the rows
    of a class, plus sum_j (w_j sd(s_j))^2 / (2 n). For two classes and J = 1 this is
    scikit-learn's LogisticRegression(class_weight="balanced", C=1) on the standardized
    difference of the scores. ``with_offsets=False`` fits the weights alone.
    """
    present = np.bincount(labels, minlength=scores[0].shape[1])
    row_weight = 1 / (present[labels] * (present > 0).sum())
    return logistic_calibration(scores, labels, row_weight, with_offsets)


def logistic_calibration(
    scores: Sequence[np.ndarray],
    labels: np.ndarray,
    row_weight: np.ndarray,
    with_offsets: bool = True,
) -> tuple[np.ndarray, np.ndarray]:
    """As :func:`balanced_calibration`, with the weights (n,) of the rows, whose sum is 1."""
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
    limits: list[tuple[float, float | None]] = [(0.0, None)] * kinds
    limits += [(-50.0, 50.0) if m and with_offsets else (0.0, 0.0) for m in present[1:]]
    found = minimize(objective, start, jac=True, bounds=limits, method="L-BFGS-B")
    offset = np.concatenate([[0.0], found.x[kinds:]])
    return found.x[:kinds] / spread, offset - offset.mean()


FITS = {"threshold": threshold_calibration, "balanced-logistic": balanced_calibration}
