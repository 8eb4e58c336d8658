"""Rules over clusters: Eq. 10 and its repairs, other votes, and clusters with the head."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from clmle.classifiers.base import CLASSIFIERS, Classifier, log_softmax, stored_as, unit_rows
from clmle.classifiers.calibration import balanced_calibration
from clmle.classifiers.nearest_cluster import nearest_cluster_scores

BOUND = 50.0  # log-odds of a class of which nothing was retrieved, or nothing else


@stored_as("clusters")
class ClusterClassifier(Classifier):
    """Eq. 10 or a repair of it, over fixed centroids."""

    def __init__(
        self,
        centroids: np.ndarray,
        classes: np.ndarray,
        n_neighbors: int,
        rule: str,
        scale: float = 1.0,
        n_classes: int = 0,
        margins: Mapping[str, Any] | None = None,
    ) -> None:
        self.centroids, self.classes = centroids, classes
        self.n_neighbors, self.rule, self.scale = n_neighbors, rule, scale
        self.n_classes = n_classes or int(classes.max()) + 1
        self.margins = dict(margins or {})

    def scores(self, features: np.ndarray, logits: np.ndarray) -> np.ndarray:
        scores: np.ndarray = nearest_cluster_scores(
            unit_rows(features),
            self.centroids,
            self.classes,
            self.n_neighbors,
            rule=self.rule,
            scale=self.scale,
            n_classes=self.n_classes,
        )
        return scores

    def chosen(self) -> dict[str, Any]:
        return {
            "rule": self.rule,
            "n_neighbors": self.n_neighbors,
            "scale": self.scale,
            "n_classes": self.n_classes,
            **self.margins,
        }

    def arrays(self) -> dict[str, np.ndarray]:
        return {"centroids": self.centroids, "classes": self.classes}

    @classmethod
    def restored(
        cls, arrays: Mapping[str, np.ndarray], chosen: Mapping[str, Any]
    ) -> ClusterClassifier:
        facts = dict(chosen)
        known = {k: facts.pop(k) for k in ("n_neighbors", "rule", "scale", "n_classes")}
        return cls(arrays["centroids"], arrays["classes"], **known, margins=facts)


@stored_as("votes")
class ClusterVoteClassifier(Classifier):
    """The N nearest clusters by Euclidean distance decide, by one of two votes.

    "gaussian": log of the summed exp(-D / (2 s^2)) of a class (magnet loss's kNC);
    "gap": nearest retrieved cluster of the others minus farthest of one's own (LMLE).
    """

    def __init__(
        self, means: np.ndarray, classes: np.ndarray, n: int, vote: str, variance: float, c: int
    ) -> None:
        self.means, self.classes, self.n = means, classes, n
        self.vote, self.variance, self.n_classes = vote, variance, c

    def scores(self, features: np.ndarray, logits: np.ndarray) -> np.ndarray:
        unit = unit_rows(features).astype(np.float64)
        squared = ((unit**2).sum(axis=1)[:, None] - 2 * unit @ self.means.T) + (
            self.means.astype(np.float64) ** 2
        ).sum(axis=1)
        near = np.argpartition(squared, self.n - 1, axis=1)[:, : self.n]
        distance = np.take_along_axis(squared, near, axis=1)
        scores = np.empty((len(unit), self.n_classes))
        for c in range(self.n_classes):
            mine = self.classes[near] == c
            if self.vote == "gaussian":
                exponent = np.where(mine, -distance / (2 * self.variance), -np.inf)
                scores[:, c] = np.logaddexp.reduce(exponent, axis=1)
            else:
                others = np.where(mine, BOUND, distance).min(axis=1)
                own = np.where(mine, distance, -np.inf).max(axis=1)
                scores[:, c] = np.where(mine.any(axis=1), others - own, -np.inf)
        return scores

    def chosen(self) -> dict[str, Any]:
        return {
            "rule": f"votes of clusters, {self.vote}",
            "vote": self.vote,
            "n_neighbors": self.n,
            "variance": self.variance,
            "n_classes": self.n_classes,
        }

    def arrays(self) -> dict[str, np.ndarray]:
        return {"means": self.means, "classes": self.classes}

    @classmethod
    def restored(cls, arrays: Mapping[str, np.ndarray], chosen: Mapping[str, Any]) -> Classifier:
        facts = [chosen[k] for k in ("n_neighbors", "vote", "variance", "n_classes")]
        return cls(arrays["means"], arrays["classes"], *facts)


@stored_as("joint")
class StackedClassifier(Classifier):
    """Cluster scores and, where its weight is not 0, the head's: a sum of log-odds, plus offsets.

    The score of a class by clusters, log s_c, is taken as a logit; weights and offsets are fitted
    by :func:`balanced_calibration` on validation data (stacking, Wolpert 1992).
    """

    def __init__(
        self, clusters: Classifier, cluster_weight: float, head_weight: float, offset: np.ndarray
    ) -> None:
        self.clusters = clusters
        self.cluster_weight, self.head_weight = float(cluster_weight), float(head_weight)
        self.offset = np.asarray(offset, dtype=np.float64)

    @classmethod
    def fitted(
        cls,
        clusters: Classifier,
        validation: tuple[np.ndarray, np.ndarray, np.ndarray],
        with_head: bool = True,
    ) -> StackedClassifier:
        """Weights and offsets from validation (z, logits, labels)."""
        features, logits, labels = validation
        scores = [bounded(clusters.scores(features, logits))]
        if with_head:
            scores.append(log_softmax(logits))
        weights, offset = balanced_calibration(scores, labels)
        return cls(clusters, weights[0], weights[1] if with_head else 0.0, offset)

    def scores(self, features: np.ndarray, logits: np.ndarray) -> np.ndarray:
        near = bounded(self.clusters.scores(features, logits))
        return self.cluster_weight * near + self.head_weight * log_softmax(logits) + self.offset

    def calibrated(self, validation: tuple[np.ndarray, np.ndarray, np.ndarray]) -> Classifier:
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
        weights = facts.pop("cluster_weight"), facts.pop("head_weight")
        offset = np.asarray(facts.pop("offset"))
        return cls(CLASSIFIERS[facts.pop("part")].restored(arrays, facts), *weights, offset)


def bounded(scores: np.ndarray) -> np.ndarray:
    """Scores with infinities (nothing retrieved of a class, or of the others) at +-BOUND."""
    clipped: np.ndarray = np.clip(scores, -BOUND, BOUND)
    return clipped
