"""How imbalanced it is around every point: its neighbors of other classes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clmle.checks import array_of, numeric, whole
from clmle.errors import InputError


@dataclass(frozen=True)
class LocalImbalance:
    """What the k nearest neighbors of every point say, (n,) each.

    ``impostor_rate``: the share of them that are of another class (0: at home, 1: an impostor
    among others). ``own_share``: that of the point's class among them over its share of all
    points; below 1 the class is rarer around here than on the whole.
    """

    impostor_rate: np.ndarray
    own_share: np.ndarray


def local_imbalance(features: np.ndarray, labels: np.ndarray, k: int = 10) -> LocalImbalance:
    """Impostors around every point, by cosine.

    Parameters
    ----------
    features : (n, d) unit rows
    labels : (n,)
    k : int
        Neighbors that count, fewer where there are fewer points.

    Raises
    ------
    InputError
        Shapes that do not fit, k below 1, or a single point.

    Examples
    --------
    >>> x = np.array([[1, 0], [0.99, 0.14], [0, 1], [0.14, 0.99]])
    >>> local_imbalance(x, np.array([0, 0, 1, 0]), k=1).impostor_rate.tolist()
    [0.0, 0.0, 1.0, 1.0]
    """
    from sklearn.neighbors import NearestNeighbors

    features, labels = numeric(features, "features"), array_of(labels, "labels")
    if features.ndim != 2 or labels.shape != features.shape[:1] or len(labels) < 2:
        raise InputError(
            f"features (n, d) and labels (n,) must agree and hold two rows, but are "
            f"{features.shape} and {labels.shape}."
        )
    if 0 in features.shape or not np.isfinite(features).all():
        raise InputError("features must be finite and have a dimension; clean them first.")
    k = min(whole(k, "k", 1), len(labels) - 1)
    # Called without points, the search leaves each point out of its own neighbors.
    near = NearestNeighbors(n_neighbors=k).fit(features).kneighbors(return_distance=False)
    own = (labels[near] == labels[:, None]).mean(axis=1)
    _, inverse, counts = np.unique(labels, return_inverse=True, return_counts=True)
    return LocalImbalance(1 - own, own / (counts[inverse] / len(labels)))
