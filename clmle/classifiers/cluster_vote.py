"""Votes of the nearest clusters: the classifiers of magnet loss and of LMLE."""

from dataclasses import dataclass

import numpy as np

from clmle.classifiers._base import Classifier, stored_as, unit_rows

BOUND = 50.0  # distance where no cluster of another class is retrieved


@stored_as("votes")
@dataclass(eq=False)
class ClusterVoteClassifier(Classifier):
    """A vote of the clusters with the smallest Euclidean distance.

    Parameters
    ----------
    means : (K, d) array
        Cluster means of unit features.
    classes : (K,) array
        The class of each cluster.
    n_neighbors : int
        Clusters that vote.
    vote : {"gaussian", "gap"}
        "gaussian": the log of the sum of exp(-D / (2 s^2)) over the retrieved clusters of a
        class, with squared distance D. "gap": the nearest retrieved cluster of another class
        minus the farthest of the class itself.
    variance : float
        s^2, the variance of features around their cluster mean.
    n_classes : int

    References
    ----------
    "gaussian": Rippel, Paluri, Dollar, Bourdev: Metric Learning with Adaptive Density
    Discrimination (ICLR 2016), Eq. 6. "gap": Huang, Li, Loy, Tang: Learning Deep Representation
    for Imbalanced Classification (CVPR 2016), section 3.3.

    Examples
    --------
    >>> classifier = ClusterVoteClassifier(np.eye(3), np.array([0, 0, 1]), 3, "gaussian", 0.1, 2)
    >>> classifier.scores(np.array([[0.0, 0.0, 2.0]]), np.zeros((1, 2))).argmax(axis=1)
    array([1])
    """

    means: np.ndarray
    classes: np.ndarray
    n_neighbors: int
    vote: str
    variance: float
    n_classes: int

    def __post_init__(self) -> None:
        self.rule = f"votes of clusters, {self.vote}"

    def scores(self, features: np.ndarray, logits: np.ndarray) -> np.ndarray:
        unit = unit_rows(features).astype(np.float64)
        squared = ((unit**2).sum(axis=1)[:, None] - 2 * unit @ self.means.T) + (
            self.means.astype(np.float64) ** 2
        ).sum(axis=1)
        near = np.argpartition(squared, self.n_neighbors - 1, axis=1)[:, : self.n_neighbors]
        distance = np.take_along_axis(squared, near, axis=1)
        scores = np.empty((len(unit), self.n_classes))
        for c in range(self.n_classes):
            own = self.classes[near] == c
            if self.vote == "gaussian":
                exponent = np.where(own, -distance / (2 * self.variance), -np.inf)
                scores[:, c] = np.logaddexp.reduce(exponent, axis=1)
            else:
                nearest_other = np.where(own, BOUND, distance).min(axis=1)
                farthest_own = np.where(own, distance, -np.inf).max(axis=1)
                scores[:, c] = np.where(own.any(axis=1), nearest_other - farthest_own, -np.inf)
        return scores
