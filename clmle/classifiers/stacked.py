"""Stacking: cluster scores and the head's log-odds, weighted on validation data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from clmle.classifiers._base import (
    Classifier,
    Validation,
    log_softmax,
    restore_classifier,
    stored_as,
)
from clmle.classifiers.calibration import FITS, balanced_calibration

BOUND = 50.0  # replaces infinite scores, where only one class or no cluster of it is retrieved


@stored_as("joint")
class StackedClassifier(Classifier):
    """A weighted sum of a classifier's scores and the head's log-probabilities, plus offsets.

    The scores of the first classifier, log s_c of Eq. 10 for clusters, are taken as logits. Make
    one with :meth:`fitted`.

    Parameters
    ----------
    clusters : Classifier
        The first classifier.
    cluster_weight, head_weight : float
    offset : (C,) array

    References
    ----------
    Wolpert: Stacked Generalization (Neural Networks 5, 1992).

    Examples
    --------
    >>> from clmle.classifiers import HeadClassifier
    >>> classifier = StackedClassifier(HeadClassifier(), 1.0, 0.0, np.array([0.0, 2.0]))
    >>> classifier.scores(np.zeros((1, 3)), np.array([[1.0, 0.0]])).tolist()
    [[1.0, 2.0]]
    """

    def __init__(
        self, clusters: Classifier, cluster_weight: float, head_weight: float, offset: np.ndarray
    ) -> None:
        self.clusters = clusters
        self.cluster_weight, self.head_weight = float(cluster_weight), float(head_weight)
        self.offset = np.asarray(offset, dtype=np.float64)

    @classmethod
    def fitted(cls, clusters: Classifier, validation: Validation) -> StackedClassifier:
        """Fit the weights, of which one may be 0, by :func:`balanced_calibration`; no offsets."""
        scores = _scores(clusters, validation)
        (first, head), offset = balanced_calibration(scores, validation[2], with_offsets=False)
        if first == head == 0:  # few validation images of a class may contradict both scores
            first, head = (1 / max(s.std(), 1e-9) for s in scores)
        return cls(clusters, first, head, offset)

    def scores(self, features: np.ndarray, logits: np.ndarray) -> np.ndarray:
        near = bounded(self.clusters, features, logits)
        log_p = log_softmax(logits)
        return np.asarray(self.cluster_weight * near + self.head_weight * log_p + self.offset)

    def calibrated(self, validation: Validation, how: str) -> Classifier | None:
        if self.offset.any():
            return self
        if how == "balanced-logistic":
            scores = _scores(self.clusters, validation)
            (first, head), offset = balanced_calibration(scores, validation[2])
            return StackedClassifier(self.clusters, first, head, offset) if first or head else None
        _, offset = FITS[how]([self.scores(*validation[:2])], validation[2])
        return StackedClassifier(self.clusters, self.cluster_weight, self.head_weight, offset)

    def chosen(self) -> dict[str, Any]:
        return {
            **self.clusters.chosen(),
            "part": self.clusters.kind,
            "cluster_weight": self.cluster_weight,
            "head_weight": self.head_weight,
            "offset": self.offset.tolist(),
        }

    def arrays(self) -> dict[str, np.ndarray]:
        return self.clusters.arrays()

    @classmethod
    def restored(
        cls, arrays: Mapping[str, np.ndarray], chosen: Mapping[str, Any]
    ) -> StackedClassifier:
        facts = dict(chosen)
        own = [facts.pop(name) for name in ("cluster_weight", "head_weight", "offset")]
        return cls(restore_classifier(facts.pop("part"), arrays, facts), *own)


def bounded(classifier: Classifier, features: np.ndarray, logits: np.ndarray) -> np.ndarray:
    """Scores of a classifier (n, C) without infinities."""
    return np.asarray(np.clip(classifier.scores(features, logits), -BOUND, BOUND))


def _scores(clusters: Classifier, validation: Validation) -> list[np.ndarray]:
    features, logits, _ = validation
    return [bounded(clusters, features, logits), log_softmax(logits)]
