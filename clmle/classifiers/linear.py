"""Linear classifiers: the network's head, the head with class offsets, and separate weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from clmle.classifiers._base import Classifier, Validation, log_softmax, stored_as, unit_rows
from clmle.classifiers.calibration import balanced_calibration


@stored_as("head")
class HeadClassifier(Classifier):
    """The logits of the network's own head.

    Examples
    --------
    >>> HeadClassifier().scores(np.zeros((1, 3)), np.array([[0.5, 2.0]])).tolist()
    [[0.5, 2.0]]
    """

    def scores(self, features: np.ndarray, logits: np.ndarray) -> np.ndarray:
        return logits

    def calibrated(self, validation: Validation) -> Classifier:
        _, logits, labels = validation
        weights, offset = balanced_calibration([log_softmax(logits)], labels)
        return OffsetClassifier(offset / max(float(weights[0]), 1e-6))

    def chosen(self) -> dict[str, Any]:
        return {"rule": "largest logit"}

    @classmethod
    def restored(
        cls, arrays: Mapping[str, np.ndarray], chosen: Mapping[str, Any]
    ) -> HeadClassifier:
        return cls()


@stored_as("offset")
class OffsetClassifier(Classifier):
    """Log-probabilities of the head plus one offset per class (threshold moving).

    Parameters
    ----------
    offset : (C,) array
    """

    def __init__(self, offset: np.ndarray) -> None:
        self.offset = np.asarray(offset, dtype=np.float64)

    def scores(self, features: np.ndarray, logits: np.ndarray) -> np.ndarray:
        return log_softmax(logits) + self.offset

    def chosen(self) -> dict[str, Any]:
        return {"rule": "largest logit + offset", "offset": self.offset.tolist()}

    def arrays(self) -> dict[str, np.ndarray]:
        return {"offset": self.offset}

    @classmethod
    def restored(
        cls, arrays: Mapping[str, np.ndarray], chosen: Mapping[str, Any]
    ) -> OffsetClassifier:
        return cls(arrays["offset"])


@stored_as("linear")
class LinearClassifier(Classifier):
    """Scores W f + b of features f.

    Parameters
    ----------
    weights : (C, d) array
    bias : (C,) array
    unit : bool
        Whether features are divided by their length first.
    name : str
        What the classifier is called in results.
    """

    def __init__(self, weights: np.ndarray, bias: np.ndarray, unit: bool, name: str) -> None:
        self.weights, self.bias, self.unit, self.name = weights, bias, unit, name

    def scores(self, features: np.ndarray, logits: np.ndarray) -> np.ndarray:
        x = unit_rows(features) if self.unit else features
        scores: np.ndarray = x @ self.weights.T + self.bias
        return scores

    def chosen(self) -> dict[str, Any]:
        return {"rule": self.name, "unit": self.unit}

    def arrays(self) -> dict[str, np.ndarray]:
        return {"weights": self.weights, "bias": self.bias}

    @classmethod
    def restored(
        cls, arrays: Mapping[str, np.ndarray], chosen: Mapping[str, Any]
    ) -> LinearClassifier:
        return cls(arrays["weights"], arrays["bias"], chosen["unit"], chosen["rule"])
