"""The classifier protocol, and the registry from which stored classifiers are restored."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from importlib import import_module
from typing import Any, ClassVar, TypeVar

import numpy as np

from clmle.metrics.classification import mean_recall

CLASSIFIERS: dict[str, type[Classifier]] = {}
# Features z (n, d), logits (n, C) and labels (n,) of the validation images.
Validation = tuple[np.ndarray, np.ndarray, np.ndarray]
T = TypeVar("T", bound="type[Classifier]")


def stored_as(kind: str) -> Callable[[T], T]:
    """Class decorator: the name under which run folders store a classifier of this class."""

    def enter(cls: T) -> T:
        cls.kind = kind
        CLASSIFIERS[kind] = cls
        return cls

    return enter


class Classifier(ABC):
    """A classifier on the outputs of a trained network.

    It is stored with the weights of the best round, so that a run gives the same predictions
    wherever it is loaded. A subclass that is a dataclass is stored by its fields: arrays, and plain
    values next to ``rule``, the name of the classifier in results.
    """

    kind: ClassVar[str]
    rule: str

    @abstractmethod
    def scores(self, features: np.ndarray, logits: np.ndarray) -> np.ndarray:
        """Return class scores (n, C); the class with the largest score is predicted.

        ``features`` (n, d) are embeddings z, not normalized; ``logits`` (n, C) are the head's.
        """

    def calibrated(self, validation: Validation, how: str) -> Classifier | None:
        """Return this classifier with class offsets fitted on validation data.

        None if the fit gives the scores no weight.
        """
        from clmle.classifiers.calibration import FITS
        from clmle.classifiers.stacked import StackedClassifier, bounded

        features, logits, labels = validation
        weights, offset = FITS[how]([bounded(self, features, logits)], labels)
        return StackedClassifier(self, weights[0], 0.0, offset) if weights.any() else None

    def with_each(
        self, change: Callable[[Classifier, Validation], Classifier], validation: Validation
    ) -> Classifier:
        """Return this classifier after ``change``, which several attributes get one by one."""
        return change(self, validation)

    def chosen(self) -> dict[str, Any]:
        """Return the plain values to store: what was fitted or configured."""
        values = {k: v for k, v in self._stored().items() if not isinstance(v, np.ndarray)}
        return {"rule": self.rule, **values}

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays to store."""
        return {k: v for k, v in self._stored().items() if isinstance(v, np.ndarray)}

    def _stored(self) -> dict[str, Any]:
        return {f.name: getattr(self, f.name) for f in fields(self)}  # type: ignore[arg-type]

    @classmethod
    def restored(cls, arrays: Mapping[str, np.ndarray], chosen: Mapping[str, Any]) -> Classifier:
        """Return the classifier with these stored arrays and values."""
        stored = {**chosen, **arrays}
        return cls(**{f.name: stored[f.name] for f in fields(cls)})  # type: ignore[arg-type]


def restore_classifier(
    kind: str, arrays: Mapping[str, np.ndarray], chosen: Mapping[str, Any]
) -> Classifier:
    """Return the stored classifier of a kind."""
    for module in ("cluster_vote", "knn", "linear", "nearest_cluster", "stacked"):
        import_module(f"clmle.classifiers.{module}")
    return CLASSIFIERS[kind].restored(arrays, chosen)


def best_classifier(classifiers: Iterable[Classifier], validation: Validation) -> Classifier:
    """Return the classifier with the highest balanced accuracy; the first of equals."""
    features, logits, labels = validation
    return max(classifiers, key=lambda c: accuracy_of_scores(labels, c.scores(features, logits)))


def accuracy_of_scores(labels: np.ndarray, scores: np.ndarray) -> float:
    """Return the balanced accuracy of scores (n, C) for classes ``labels`` (n,)."""
    return accuracy_of_predictions(labels, scores.argmax(axis=1))


def accuracy_of_predictions(labels: np.ndarray, predicted: np.ndarray) -> float:
    """Return the balanced accuracy of predicted classes (n,) for classes ``labels`` (n,)."""
    support = np.bincount(labels)
    hits = np.bincount(labels[predicted == labels], minlength=len(support))
    return mean_recall(hits, support)


def unit_rows(features: np.ndarray, dtype: Any = np.float32) -> np.ndarray:
    """Return the rows (n, d) at unit length; a zero row stays zero."""
    norms = np.linalg.norm(features, axis=1, keepdims=True)
    return np.asarray(features / np.maximum(norms, 1e-12), dtype=dtype)


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Return log-probabilities (n, C) in float64."""
    shifted = logits - logits.max(axis=1, keepdims=True).astype(np.float64)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))
