"""Purity: whether clusters and neighborhoods keep finer groups apart that no label names."""

import numpy as np

from clmle.checks import array_of, numeric, whole
from clmle.errors import InputError


def cluster_purity(clusters: np.ndarray, groups: np.ndarray) -> float:
    """Fraction of points that belong to the most frequent group of their cluster.

    Parameters
    ----------
    clusters : integer array of shape (n,)
        Cluster of each point.
    groups : array of shape (n,)
        Group of each point, such as the class before classes were merged.

    Returns
    -------
    float
        In (0, 1]; 1 where no cluster mixes groups.

    References
    ----------
    C. D. Manning, P. Raghavan, H. Schuetze, *Introduction to Information Retrieval*, section 16.3.

    Examples
    --------
    >>> cluster_purity(np.array([0, 0, 0, 1]), np.array(["cat", "cat", "dog", "dog"]))
    0.75
    """
    from sklearn.metrics.cluster import contingency_matrix

    clusters, groups = array_of(clusters, "clusters"), array_of(groups, "groups")
    if clusters.ndim != 1 or clusters.shape != groups.shape or not len(clusters):
        raise InputError(
            f"clusters and groups must hold one value for each point, but are {clusters.shape} and "
            f"{groups.shape}."
        )
    counts = contingency_matrix(clusters, groups, sparse=True)
    return float(counts.max(axis=1).sum() / len(clusters))


def neighbor_purity(
    features: np.ndarray, labels: np.ndarray, groups: np.ndarray, k: int = 5
) -> float | None:
    """Mean fraction of the nearest neighbors of the same class that have the same group.

    Parameters
    ----------
    features : array of shape (n, d)
        Unit rows.
    labels : integer array of shape (n,)
        Class of each row; neighbors are searched within the class.
    groups : array of shape (n,)
        Group of each row.
    k : int
        Number of neighbors, at most the size of the class minus 1.

    Returns
    -------
    float or None
        None if no class has two rows.

    References
    ----------
    C. Huang, Y. Li, C. C. Loy, X. Tang, *Deep imbalanced learning for face recognition and
    attribute prediction*, section 3.2: clusters preserve the structure within a class.

    Examples
    --------
    >>> x = np.array([[1, 0], [0.99, 0.14], [0, 1], [0.14, 0.99]])
    >>> neighbor_purity(x, np.zeros(4, int), np.array([0, 0, 1, 1]), k=1)
    1.0
    """
    from clmle._search import nearest_others

    features, labels = numeric(features, "features"), array_of(labels, "labels")
    groups, k = array_of(groups, "groups"), whole(k, "k", 1)
    if features.ndim != 2 or not features.shape[:1] == labels.shape == groups.shape:
        raise InputError(
            f"features (n, d), labels (n,) and groups (n,) must have the same n, but are "
            f"{features.shape}, {labels.shape} and {groups.shape}."
        )
    same = []
    for c in np.unique(labels):
        points, own = features[labels == c], groups[labels == c]
        if len(points) > 1:
            near = nearest_others(points, min(k, len(points) - 1))
            same.append((own[near] == own[:, None]).mean(axis=1))
    return float(np.concatenate(same).mean()) if same else None
