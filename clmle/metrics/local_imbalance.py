"""Class imbalance around every point, from its nearest neighbors."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from clmle.checks import array_of, numeric, whole
from clmle.errors import InputError, quoted


@dataclass(frozen=True)
class LocalImbalance:
    """Classes of the k nearest neighbors of every point.

    Attributes
    ----------
    impostor_rate : array of shape (n,)
        Fraction of the neighbors of another class.
    relative_density : array of shape (n,)
        Fraction of the neighbors of the same class, divided by the fraction of that class among all
        points. Below 1 the class is rarer around the point than overall.
    """

    impostor_rate: np.ndarray
    relative_density: np.ndarray


def local_imbalance(features: np.ndarray, labels: np.ndarray, k: int = 10) -> LocalImbalance:
    """Fractions of the classes among the nearest neighbors of every point.

    Parameters
    ----------
    features : array of shape (n, d)
        Unit rows: Euclidean and cosine distance then have the same neighbors.
    labels : array of shape (n,)
        Class of each row.
    k : int
        Number of neighbors, at most n - 1.

    Returns
    -------
    LocalImbalance

    References
    ----------
    Fig. 1 and section 3 of the CLMLE paper.

    Examples
    --------
    >>> x = np.array([[1, 0], [0.99, 0.14], [0, 1], [0.14, 0.99]])
    >>> local_imbalance(x, np.array([0, 0, 1, 0]), k=1).impostor_rate.tolist()
    [0.0, 0.0, 1.0, 1.0]
    """
    from clmle._search import nearest_others

    features, labels = numeric(features, "features"), array_of(labels, "labels")
    if features.ndim != 2 or labels.shape != features.shape[:1] or len(labels) < 2:
        raise InputError(
            f"features (n, d) and labels (n,) must have the same n, at least 2, but are "
            f"{features.shape} and {labels.shape}."
        )
    if 0 in features.shape or not np.isfinite(features).all():
        raise InputError("features must be finite and have a dimension; remove other rows.")
    k = min(whole(k, "k", 1), len(labels) - 1)
    same = (labels[nearest_others(features, k)] == labels[:, None]).mean(axis=1)
    _, inverse, counts = np.unique(labels, return_inverse=True, return_counts=True)
    return LocalImbalance(1 - same, same / (counts[inverse] / len(labels)))


def impostor_rate(
    features: np.ndarray, labels: np.ndarray, k: int = 10, *, of: Any = None
) -> float:
    """Mean fraction of the nearest neighbors of a sample that have another class.

    Parameters
    ----------
    features : array of shape (n, d)
        Embeddings; unit rows where the cosine is meant.
    labels : array of shape (n,)
        Class of each row.
    k : int
        Number of neighbors, at most n - 1.
    of : optional
        The class whose samples are counted, such as the minority class; all samples by default.

    Returns
    -------
    float
        From 0, classes that are apart, to 1.

    References
    ----------
    Fig. 1 and section 3 of the CLMLE paper.

    Examples
    --------
    >>> x = np.array([[1, 0], [0.99, 0.14], [0, 1], [0.14, 0.99]])
    >>> impostor_rate(x, np.array([0, 0, 1, 0]), k=1)
    0.5
    >>> impostor_rate(x, np.array([0, 0, 1, 0]), k=1, of=1)
    1.0
    """
    rates = local_imbalance(features, labels, k).impostor_rate
    if of is None:
        return float(rates.mean())
    own = array_of(labels, "labels") == of
    if not own.any():
        raise InputError(f"No sample has the class {quoted(of)}; choose one that labels hold.")
    return float(rates[own].mean())
