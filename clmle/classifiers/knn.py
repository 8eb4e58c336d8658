"""Classifiers by the nearest stored features: k nearest neighbors, or class prototypes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from clmle._search import nearest_rows
from clmle.classifiers._base import Classifier, stored_as, unit_rows


@stored_as("prototypes")
class PrototypeClassifier(Classifier):
    """The largest cosine to any of the prototypes of a class.

    Parameters
    ----------
    prototypes : (P, d) array of unit rows
    classes : (P,) array
        The class of each prototype.
    """

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
    """The fraction of each class among the k nearest training features, by cosine.

    Parameters
    ----------
    features : (n, d) array
    labels : (n,) array
    k : int
    n_classes : int
    """

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
