"""Nearest-cluster classification as a scikit-learn estimator."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from clmle._search import nearest_rows
from clmle.checks import whole
from clmle.classifiers.nearest_cluster import BLOCK, RULES, decide, nearest_cluster_scores
from clmle.clustering import balanced_spherical_kmeans
from clmle.errors import InputError


# scikit-learn has no types.
class NearestClusterClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Classify by the nearest of balanced clusters (Eqs. 6, 7 and 10).

    ``fit`` divides every class into clusters of about ``cluster_size`` samples; ``predict``
    retrieves the ``n_neighbors`` clusters with the largest inner product and applies Eq. 10.

    Parameters
    ----------
    cluster_size : int, default=200
        l; a class of L_c samples has max(1, floor(L_c / l)) clusters.
    n_neighbors : int, default=20
        N, clusters retrieved. Eq. 10 takes the least similar retrieved cluster of a class, so
        retrieve few where clusters are many and small; choose N on validation data.
    rule : {"mean", "printed", "per-class"}, default="mean"
        See :func:`clmle.nearest_cluster_scores`; "printed" favors classes of many clusters.
    normalize : bool, default=True
        Compare unit vectors. Otherwise centroids are plain means of the rows, and queries are
        not normalized (clustering always uses directions only).
    random_state : int, RandomState instance or None, default=None
        Seed of the initial centroids.

    Attributes
    ----------
    classes_ : (C,) array
    centroids_ : (K, d) float32 array
    centroid_classes_ : (K,) array of indices into ``classes_``
    n_features_in_ : int

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> X, y = load_digits(return_X_y=True)
    >>> model = NearestClusterClassifier(cluster_size=20, n_neighbors=3, random_state=0).fit(X, y)
    >>> model.score(X, y) > 0.95
    True
    """

    def __init__(
        self,
        cluster_size: int = 200,
        n_neighbors: int = 20,
        rule: str = "mean",
        normalize: bool = True,
        random_state: Any = None,
    ) -> None:
        self.cluster_size = cluster_size
        self.n_neighbors = n_neighbors
        self.rule = rule
        self.normalize = normalize
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> NearestClusterClassifier:
        """Cluster every class of ``X`` (n, d) labeled ``y`` (n,)."""
        X, y = validate_data(self, X, y, dtype=[np.float32, np.float64])
        check_classification_targets(y)
        if self.rule not in RULES:
            raise InputError(f"rule is {self.rule!r}; choose one of: {', '.join(RULES)}.")
        whole(self.n_neighbors, "n_neighbors", 1)
        whole(self.cluster_size, "cluster_size", 1)
        self.classes_, labels = np.unique(y, return_inverse=True)
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        X = self._rows(X)
        centroids, classes = [], []
        for c in range(len(self.classes_)):
            rows = X[labels == c]
            clusters = balanced_spherical_kmeans(rows, self.cluster_size, seed=seed)
            if self.normalize:
                centroids.append(clusters.centroids)
            else:
                sums = np.zeros_like(clusters.centroids)
                np.add.at(sums, clusters.labels, rows)
                centroids.append(sums / clusters.sizes[:, None])
            classes.append(np.full(len(clusters.sizes), c))
        self.centroids_ = np.ascontiguousarray(np.concatenate(centroids), dtype=np.float32)
        self.centroid_classes_ = np.concatenate(classes)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Predict the class of every row, (n,)."""
        X = self._queries(X)
        if self.rule == "per-class":
            return np.asarray(self.classes_[self._scores(X).argmax(axis=1)])
        n = min(self.n_neighbors, len(self.centroids_))
        winner = np.empty(len(X), dtype=np.int64)
        step = max(1, BLOCK // (n * n))
        for rows in (slice(start, start + step) for start in range(0, len(X), step)):
            similarity, near = nearest_rows(X[rows], self.centroids_, n)
            winner[rows] = decide(
                similarity, self.centroid_classes_[near], len(self.classes_), self.rule
            )
        return self.classes_[winner]

    def decision_function(self, X: Any) -> np.ndarray:
        """Return finite log-scores of Eq. 10: (n, C), or (n,) second minus first of two classes.

        A class without a retrieved cluster is below all finite scores, a class that is the only
        one retrieved above them.
        """
        scores = _finite(self._scores(self._queries(X)))
        return scores[:, 1] - scores[:, 0] if len(self.classes_) == 2 else scores

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the softmax of the log-scores, (n, C): not calibrated probabilities."""
        return np.asarray(softmax(_finite(self._scores(self._queries(X))), axis=1))

    def _queries(self, X: Any) -> np.ndarray:
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=[np.float32, np.float64])
        return np.ascontiguousarray(self._rows(X), dtype=np.float32)

    def _rows(self, X: np.ndarray) -> np.ndarray:
        if not self.normalize:
            return X
        norms = np.linalg.norm(X, axis=1, keepdims=True)
        return X / np.where(norms > 0, norms, 1)

    def _scores(self, X: np.ndarray) -> np.ndarray:
        fitted = self.centroids_, self.centroid_classes_, self.n_neighbors, self.rule
        scores: np.ndarray = nearest_cluster_scores(X, *fitted, n_classes=len(self.classes_))
        return scores


def _finite(scores: np.ndarray) -> np.ndarray:
    """Replace infinite scores by values beyond the finite range of f.mu and its logs."""
    return np.asarray(np.clip(np.nan_to_num(scores, posinf=1e3, neginf=-1e3), -1e3, 1e3))
