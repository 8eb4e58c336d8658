"""Rules: how features and logits become class scores, and how a rule is stored with a run.

A rule is some arrays and some plain facts. Both are written beside the best weights, so that a
run judges the same images the same way wherever it is loaded.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar

import numpy as np

from clmle.methods.calibration import balanced_calibration
from clmle.nearest import nearest_cluster_scores

BOUND = 50.0  # log-odds of a class of which nothing was retrieved, or nothing else
RULES: dict[str, type[Rule]] = {}
R = TypeVar("R", bound="type[Rule]")


def stored_as(kind: str) -> Callable[[R], R]:
    """Class decorator: the name under which a rule is stored."""

    def enter(cls: R) -> R:
        cls.kind = kind
        RULES[kind] = cls
        return cls

    return enter


class Rule(ABC):
    """How features become class scores; ``scores`` and the two halves of its storage."""

    kind: ClassVar[str]

    @abstractmethod
    def scores(self, features: np.ndarray, logits: np.ndarray) -> np.ndarray:
        """(n, C) scores, larger is likelier, of z (n, d) and logits (n, C)."""

    def chosen(self) -> dict[str, Any]:
        """What was chosen, on validation data or by the user, as plain values."""
        return {}

    def arrays(self) -> dict[str, np.ndarray]:
        """What the rule remembers of the training set."""
        return {}

    @classmethod
    @abstractmethod
    def restored(cls, arrays: Mapping[str, np.ndarray], chosen: Mapping[str, Any]) -> Rule:
        """The rule that gave ``arrays`` and ``chosen``."""


@stored_as("head")
class HeadRule(Rule):
    """The class with the largest logit of the network's own head."""

    def scores(self, features: np.ndarray, logits: np.ndarray) -> np.ndarray:
        return logits

    def chosen(self) -> dict[str, Any]:
        return {"rule": "largest logit"}

    @classmethod
    def restored(cls, arrays: Mapping[str, np.ndarray], chosen: Mapping[str, Any]) -> HeadRule:
        return cls()


@stored_as("offset")
class OffsetRule(Rule):
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
    def restored(cls, arrays: Mapping[str, np.ndarray], chosen: Mapping[str, Any]) -> OffsetRule:
        return cls(arrays["offset"])


@stored_as("linear")
class LinearRule(Rule):
    """W f + b on features, of unit length where ``unit`` says so."""

    def __init__(self, weights: np.ndarray, bias: np.ndarray, unit: bool, name: str) -> None:
        self.weights, self.bias, self.unit, self.name = weights, bias, unit, name

    def scores(self, features: np.ndarray, logits: np.ndarray) -> np.ndarray:
        x = unit_rows(features) if self.unit else features
        return x @ self.weights.T + self.bias

    def chosen(self) -> dict[str, Any]:
        return {"rule": self.name, "unit": self.unit}

    def arrays(self) -> dict[str, np.ndarray]:
        return {"weights": self.weights, "bias": self.bias}

    @classmethod
    def restored(cls, arrays: Mapping[str, np.ndarray], chosen: Mapping[str, Any]) -> LinearRule:
        return cls(arrays["weights"], arrays["bias"], chosen["unit"], chosen["rule"])


@stored_as("prototypes")
class PrototypeRule(Rule):
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
    def restored(cls, arrays: Mapping[str, np.ndarray], chosen: Mapping[str, Any]) -> PrototypeRule:
        return cls(arrays["prototypes"], arrays["classes"])


@stored_as("neighbors")
class NeighborRule(Rule):
    """The share of each class among the k nearest training features, by cosine (k-NN)."""

    def __init__(self, features: np.ndarray, labels: np.ndarray, k: int, n_classes: int) -> None:
        self.features, self.labels = unit_rows(features), np.asarray(labels)
        self.k, self.n_classes = k, n_classes

    def scores(self, features: np.ndarray, logits: np.ndarray) -> np.ndarray:
        import faiss

        index = faiss.IndexFlatIP(self.features.shape[1])
        index.add(self.features)
        similarity, near = index.search(unit_rows(features), self.k)
        votes = np.zeros((len(features), self.n_classes))
        # Ties between equal votes go to the nearer neighbours.
        weights = 1 + 1e-3 * similarity
        for j in range(self.k):
            votes[np.arange(len(votes)), self.labels[near[:, j]]] += weights[:, j]
        return votes / self.k

    def chosen(self) -> dict[str, Any]:
        return {"rule": "k nearest neighbours", "k": self.k, "n_classes": self.n_classes}

    def arrays(self) -> dict[str, np.ndarray]:
        return {"features": self.features, "labels": self.labels}

    @classmethod
    def restored(cls, arrays: Mapping[str, np.ndarray], chosen: Mapping[str, Any]) -> NeighborRule:
        return cls(arrays["features"], arrays["labels"], chosen["k"], chosen["n_classes"])


@stored_as("clusters")
class NearestClusterRule(Rule):
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
        return nearest_cluster_scores(
            unit_rows(features),
            self.centroids,
            self.classes,
            self.n_neighbors,
            rule=self.rule,
            scale=self.scale,
            n_classes=self.n_classes,
        )

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
    ) -> NearestClusterRule:
        facts = dict(chosen)
        known = {k: facts.pop(k) for k in ("n_neighbors", "rule", "scale", "n_classes")}
        return cls(arrays["centroids"], arrays["classes"], **known, margins=facts)


@stored_as("votes")
class ClusterVoteRule(Rule):
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
    def restored(cls, arrays: Mapping[str, np.ndarray], chosen: Mapping[str, Any]) -> Rule:
        facts = [chosen[k] for k in ("n_neighbors", "vote", "variance", "n_classes")]
        return cls(arrays["means"], arrays["classes"], *facts)


@stored_as("joint")
class JointRule(Rule):
    """Cluster scores and, where its weight is not 0, the head's: a sum of log-odds, plus offsets.

    The score of a class by clusters, log s_c, is taken as a logit; weights and offsets are fitted
    by :func:`balanced_calibration` on validation data (stacking, Wolpert 1992).
    """

    def __init__(
        self, clusters: Rule, cluster_weight: float, head_weight: float, offset: np.ndarray
    ) -> None:
        self.clusters = clusters
        self.cluster_weight, self.head_weight = float(cluster_weight), float(head_weight)
        self.offset = np.asarray(offset, dtype=np.float64)

    @classmethod
    def fitted(
        cls,
        clusters: Rule,
        validation: tuple[np.ndarray, np.ndarray, np.ndarray],
        with_head: bool,
    ) -> JointRule:
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
    def restored(cls, arrays: Mapping[str, np.ndarray], chosen: Mapping[str, Any]) -> JointRule:
        facts = dict(chosen)
        weights = facts.pop("cluster_weight"), facts.pop("head_weight")
        offset = np.asarray(facts.pop("offset"))
        return cls(RULES[facts.pop("part")].restored(arrays, facts), *weights, offset)


def bounded(scores: np.ndarray) -> np.ndarray:
    """Scores with infinities (nothing retrieved of a class, or of the others) at +-BOUND."""
    return np.clip(scores, -BOUND, BOUND)


def unit_rows(features: np.ndarray) -> np.ndarray:
    """Rows (n, d) at unit length, float32; a zero row stays zero."""
    norms = np.linalg.norm(features, axis=1, keepdims=True)
    return (features / np.maximum(norms, 1e-12)).astype(np.float32)


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Log-probabilities (n, C) in float64."""
    x = logits.astype(np.float64)
    x = x - x.max(axis=1, keepdims=True)
    return x - np.log(np.exp(x).sum(axis=1, keepdims=True))


def balanced_accuracy_of(labels: np.ndarray, scores: np.ndarray) -> float:
    """Mean recall over the classes that occur in ``labels`` (n,), by the largest score."""
    predicted = scores.argmax(axis=1)
    present = np.unique(labels)
    return float(np.mean([(predicted[labels == c] == c).mean() for c in present]))
