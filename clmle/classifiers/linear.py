"""Linear classifiers: the network's head, the head with class offsets, and separate weights."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from clmle.classifiers._base import Classifier, Validation, log_softmax, stored_as, unit_rows
from clmle.classifiers.calibration import FITS


@stored_as("head")
@dataclass(eq=False)
class HeadClassifier(Classifier):
    """The logits of the network's own head.

    Examples
    --------
    >>> HeadClassifier().scores(np.zeros((1, 3)), np.array([[0.5, 2.0]])).tolist()
    [[0.5, 2.0]]
    """

    rule = "largest logit"

    def scores(self, features: np.ndarray, logits: np.ndarray) -> np.ndarray:
        return logits

    def calibrated(self, validation: Validation, how: str) -> Classifier | None:
        _, logits, labels = validation
        weights, offset = FITS[how]([log_softmax(logits)], labels)
        if not weights.any():
            return None
        return OffsetClassifier(offset / max(float(weights[0]), 1e-6))


@stored_as("offset")
@dataclass(eq=False)
class OffsetClassifier(Classifier):
    """Log-probabilities of the head plus one offset per class (threshold moving).

    Parameters
    ----------
    offset : (C,) array

    Examples
    --------
    >>> classifier = OffsetClassifier(np.array([0.0, 1.0]))
    >>> classifier.scores(np.zeros((1, 3)), np.zeros((1, 2))).argmax(axis=1)
    array([1])
    """

    offset: np.ndarray
    rule = "largest logit + offset"

    def scores(self, features: np.ndarray, logits: np.ndarray) -> np.ndarray:
        return np.asarray(log_softmax(logits) + self.offset)

    def chosen(self) -> dict[str, Any]:
        return {"rule": self.rule, "offset": self.offset.tolist()}


@stored_as("linear")
@dataclass(eq=False)
class LinearClassifier(Classifier):
    """Scores W f + b of features f.

    Parameters
    ----------
    weights : (C, d) array
    bias : (C,) array
    unit : bool
        Whether features are divided by their length first.
    rule : str
        Name of the classifier in results.

    Examples
    --------
    >>> classifier = LinearClassifier(np.eye(2), np.zeros(2), False, "identity")
    >>> classifier.scores(np.array([[3.0, 1.0]]), np.zeros((1, 2))).tolist()
    [[3.0, 1.0]]
    """

    weights: np.ndarray
    bias: np.ndarray
    unit: bool
    rule: str

    def scores(self, features: np.ndarray, logits: np.ndarray) -> np.ndarray:
        x = unit_rows(features) if self.unit else features
        return np.asarray(x @ self.weights.T + self.bias)
