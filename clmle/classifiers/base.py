"""Rules: how features and logits become class scores, and how a rule is stored with a run.

A rule is some arrays and some plain facts. Both are written beside the best weights, so that a
run judges the same images the same way wherever it is loaded.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, TypeVar

import numpy as np

from clmle._search import nearest_rows
from clmle.classifiers.calibration import balanced_calibration

CLASSIFIERS: dict[str, type[Classifier]] = {}
R = TypeVar("R", bound="type[Classifier]")


def stored_as(kind: str) -> Callable[[R], R]:
    """Class decorator: the name under which a rule is stored."""

    def enter(cls: R) -> R:
        cls.kind = kind
        CLASSIFIERS[kind] = cls
        return cls

    return enter


class Classifier(ABC):
    """How features become class scores; ``scores`` and the two halves of its storage."""

    kind: ClassVar[str]

    @abstractmethod
    def scores(self, features: np.ndarray, logits: np.ndarray) -> np.ndarray:
        """(n, C) scores, larger is likelier, of z (n, d) and logits (n, C)."""

    def calibrated(self, validation: tuple[np.ndarray, np.ndarray, np.ndarray]) -> Classifier:
        """This classifier with offsets fitted on validation (z, logits, labels)."""
        from clmle.classifiers.clusters import StackedClassifier

        return StackedClassifier.fitted(self, validation, with_head=False)

    def chosen(self) -> dict[str, Any]:
        """What was chosen, on validation data or by the user, as plain values."""
        return {}

    def arrays(self) -> dict[str, np.ndarray]:
        """What the rule remembers of the training set."""
        return {}

    @classmethod
    @abstractmethod
    def restored(cls, arrays: Mapping[str, np.ndarray], chosen: Mapping[str, Any]) -> Classifier:
        """The rule that gave ``arrays`` and ``chosen``."""


@stored_as("head")
class HeadClassifier(Classifier):
    """The class with the largest logit of the network's own head."""

    def scores(self, features: np.ndarray, logits: np.ndarray) -> np.ndarray:
        return logits

    def calibrated(self, validation: tuple[np.ndarray, np.ndarray, np.ndarray]) -> Classifier:
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
    """The largest log-probability after adding one offset a class (C,): threshold moving."""

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
    """W f + b on features, of unit length where ``unit`` says so."""

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


@stored_as("prototypes")
class PrototypeClassifier(Classifier):
    """The class of the nearest of several unit prototypes (P, d) by cosine."""

    def __init__(self, prototypes: np.ndarray, classes: np.ndarray) -> None:
        self.prototypes, self.classes = prototypes, np.asarray(classes)

    def scores(self, features: np.ndarray, logits: np.ndarray) -> np.ndarray:
        cosine = unit_rows(features) @ self.prototypes.T
        columns = [cosine[:, self.classes == c].max(axis=1) for c in np.unique(self.classes)]
        return np.stack(columns, axis=1)

    def chosen(self) -> dict[str, Any]:
        return {"rule": "nearest prototype", "prototypes": len(self.prototypes)}

    def arrays(self) -> dict[str, np.ndarray]:
        return {"prototypes": self.prototypes, "classes": self.classes}

    @classmethod
    def restored(
        cls, arrays: Mapping[str, np.ndarray], chosen: Mapping[str, Any]
    ) -> PrototypeClassifier:
        return cls(arrays["prototypes"], arrays["classes"])


@stored_as("neighbors")
class KNNClassifier(Classifier):
    """The share of each class among the k nearest training features, by cosine (k-NN)."""

    def __init__(self, features: np.ndarray, labels: np.ndarray, k: int, n_classes: int) -> None:
        self.features, self.labels = unit_rows(features), np.asarray(labels)
        self.k, self.n_classes = k, n_classes

    def scores(self, features: np.ndarray, logits: np.ndarray) -> np.ndarray:
        similarity, near = nearest_rows(unit_rows(features), self.features, self.k)
        votes = np.zeros((len(features), self.n_classes))
        # Ties between equal votes go to the nearer neighbors.
        weights = 1 + 1e-3 * similarity
        for j in range(self.k):
            votes[np.arange(len(votes)), self.labels[near[:, j]]] += weights[:, j]
        return votes / self.k

    def chosen(self) -> dict[str, Any]:
        return {"rule": "k nearest neighbors", "k": self.k, "n_classes": self.n_classes}

    def arrays(self) -> dict[str, np.ndarray]:
        return {"features": self.features, "labels": self.labels}

    @classmethod
    def restored(cls, arrays: Mapping[str, np.ndarray], chosen: Mapping[str, Any]) -> KNNClassifier:
        return cls(arrays["features"], arrays["labels"], chosen["k"], chosen["n_classes"])


def unit_rows(features: np.ndarray) -> np.ndarray:
    """Rows (n, d) at unit length, float32; a zero row stays zero."""
    norms = np.linalg.norm(features, axis=1, keepdims=True)
    units: np.ndarray = features / np.maximum(norms, 1e-12)
    return units.astype(np.float32)


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Log-probabilities (n, C) in float64."""
    x = logits.astype(np.float64)
    x = x - x.max(axis=1, keepdims=True)
    logs: np.ndarray = x - np.log(np.exp(x).sum(axis=1, keepdims=True))
    return logs


def best_classifier(
    rules: Iterable[Classifier], validation: tuple[np.ndarray, np.ndarray, np.ndarray]
) -> Classifier:
    """The rule with the best balanced accuracy on (z, logits, labels); the first of equals."""
    features, logits, labels = validation
    return max(rules, key=lambda r: balanced_accuracy_of(labels, r.scores(features, logits)))


def balanced_accuracy_of(labels: np.ndarray, scores: np.ndarray) -> float:
    """Mean recall over the classes that occur in ``labels`` (n,), by the largest score."""
    predicted = scores.argmax(axis=1)
    present = np.unique(labels)
    return float(np.mean([(predicted[labels == c] == c).mean() for c in present]))
