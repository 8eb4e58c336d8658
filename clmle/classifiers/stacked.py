"""Stacking: cluster scores and the head's log-odds, weighted and shifted on validation data."""

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
from clmle.classifiers.calibration import balanced_calibration

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
    def fitted(
        cls, clusters: Classifier, validation: Validation, with_head: bool = True
    ) -> StackedClassifier:
        """Fit weights and offsets by :func:`balanced_calibration`; the head may have weight 0."""
        features, logits, labels = validation
        scores = [np.clip(clusters.scores(features, logits), -BOUND, BOUND)]
        if with_head:
            scores.append(log_softmax(logits))
        weights, offset = balanced_calibration(scores, labels)
        return cls(clusters, weights[0], weights[1] if with_head else 0.0, offset)

    def scores(self, features: np.ndarray, logits: np.ndarray) -> np.ndarray:
        near = np.clip(self.clusters.scores(features, logits), -BOUND, BOUND)
        log_p = log_softmax(logits)
        return np.asarray(self.cluster_weight * near + self.head_weight * log_p + self.offset)

    def calibrated(self, validation: Validation) -> Classifier:
        return self

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
