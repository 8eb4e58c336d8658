"""Classifiers that read the features of every method alike, chosen independently of the loss.

Much of a difference between two methods may come from their classifiers; a classifier that is the
same for all shows what the features contribute.
"""

import numpy as np

from clmle.classifiers import Classifier, LinearClassifier
from clmle.classifiers._base import unit_rows
from clmle.classifiers.knn import PrototypeClassifier
from clmle.cluster_index import ClusterIndex
from clmle.errors import InputError

PLAYGROUND_CLASSIFIERS = {
    "own": "Each method's own",
    "nearest-cluster": "Nearest cluster",
    "nearest-class-mean": "Nearest class mean",
    "linear": "Linear",
}
PENALTY = 1e-3  # of the squared weights of the linear classifier


class FeatureReader:
    """Fits one of ``PLAYGROUND_CLASSIFIERS`` other than "own" to training features.

    Clusters start from those of the earlier call, so that they keep their identity.
    """

    def __init__(self, kind: str, labels: np.ndarray, cluster_size: int, clusters: int, seed: int):
        if kind not in PLAYGROUND_CLASSIFIERS:
            names = ", ".join(PLAYGROUND_CLASSIFIERS)
            raise InputError(f"The classifier is {kind!r}; choose one of: {names}.")
        self.kind, self.labels, self.seed = kind, labels, seed
        self.sizes = cluster_size, clusters
        self.index: ClusterIndex | None = None

    def fitted(self, features: np.ndarray) -> Classifier:
        """The classifier of ``features`` (n, d) of the training points."""
        unit = unit_rows(features)
        if self.kind == "linear":
            w = logistic_regression(unit, self.labels)
            return LinearClassifier(np.stack([-w[:-1], w[:-1]]), w[-1] * np.array([-1, 1]), True,
                                    "linear")  # fmt: skip
        if self.kind == "nearest-class-mean":
            means = np.stack([unit[self.labels == c].sum(axis=0) for c in (0, 1)])
            return PrototypeClassifier(unit_rows(means), np.array([0, 1]))
        if self.index is None:
            size, fewest = self.sizes
            self.index = ClusterIndex.build(
                unit, self.labels, size, min_clusters=fewest, seed=self.seed
            )
        else:
            self.index.refresh(unit, seed=self.seed)
        return PrototypeClassifier(self.index.centroids.copy(), self.index.classes)


def logistic_regression(features: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Weights and bias (d + 1,) of a class-balanced logistic regression, by Newton's method.

    ``labels`` (n,) are 0 and 1. Both classes have the same total weight; the squared weights are
    penalized, the bias is not.
    """
    x = np.column_stack([features.astype(np.float64), np.ones(len(features))])
    weights = 0.5 / np.bincount(labels)[labels]
    penalty = np.diag([*[PENALTY] * features.shape[1], 0.0])
    w = np.zeros(x.shape[1])
    for _ in range(25):
        p = 1 / (1 + np.exp(-(x @ w)))
        gradient = x.T @ (weights * (p - labels)) + penalty @ w
        hessian = (x * (weights * p * (1 - p))[:, None]).T @ x + penalty
        step = np.linalg.solve(hessian, gradient)
        w -= step
        if np.abs(step).max() < 1e-10:
            break
    return w
