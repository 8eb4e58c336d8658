"""Classifiers by the nearest stored features: k nearest neighbors, or class prototypes."""

from dataclasses import dataclass

import numpy as np

from clmle._search import nearest_rows
from clmle.classifiers._base import Classifier, stored_as, unit_rows


@stored_as("prototypes")
@dataclass(eq=False)
class PrototypeClassifier(Classifier):
    """The largest cosine to any of the prototypes of a class.

    Parameters
    ----------
    prototypes : (P, d) array of unit rows
    classes : (P,) array
        The class of each prototype.

    Examples
    --------
    >>> classifier = PrototypeClassifier(np.eye(3), np.array([0, 0, 1]))
    >>> classifier.scores(np.array([[0.0, 2.0, 0.0]]), np.zeros((1, 2))).tolist()
    [[1.0, 0.0]]
    """

    prototypes: np.ndarray
    classes: np.ndarray
    rule = "nearest prototype"

    def scores(self, features: np.ndarray, logits: np.ndarray) -> np.ndarray:
        cosine = unit_rows(features) @ self.prototypes.T
        columns = [cosine[:, self.classes == c].max(axis=1) for c in np.unique(self.classes)]
        return np.stack(columns, axis=1)


@stored_as("neighbors")
@dataclass(eq=False)
class KNNClassifier(Classifier):
    """The fraction of each class among the k nearest training features, by cosine.

    Parameters
    ----------
    features : (n, d) array
    labels : (n,) array
    k : int
    n_classes : int

    Examples
    --------
    >>> classifier = KNNClassifier(np.eye(3), np.array([0, 0, 1]), k=1, n_classes=2)
    >>> classifier.scores(np.array([[0.1, 2.0, 0.0]]), np.zeros((1, 2))).argmax(axis=1)
    array([0])
    """

    features: np.ndarray
    labels: np.ndarray
    k: int
    n_classes: int
    rule = "k nearest neighbors"

    def __post_init__(self) -> None:
        self.features = unit_rows(self.features)

    def scores(self, features: np.ndarray, logits: np.ndarray) -> np.ndarray:
        similarity, near = nearest_rows(unit_rows(features), self.features, self.k)
        votes = np.zeros((len(features), self.n_classes))
        # Ties between equal votes go to the nearer neighbors.
        weights = 1 + 1e-3 * similarity
        for j in range(self.k):
            votes[np.arange(len(votes)), self.labels[near[:, j]]] += weights[:, j]
        return votes / self.k
