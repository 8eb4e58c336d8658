"""Local margin: how much nearer the own class is than the others, on training and on new data."""

import numpy as np

from clmle.checks import array_of, numeric
from clmle.errors import InputError

CHUNK = 1 << 24  # similarities that are held at a time


def local_margin(
    features: np.ndarray,
    labels: np.ndarray,
    reference: np.ndarray,
    reference_labels: np.ndarray,
    same: np.ndarray | None = None,
) -> np.ndarray:
    """Similarity to the nearest reference of the same class minus that to the nearest other one.

    Below zero, the nearest reference belongs to another class. The same reference for training and
    test rows makes their means comparable: the difference is the part of the margin that does not
    generalize.

    Parameters
    ----------
    features : array of shape (n, d)
        Unit rows.
    labels : integer array of shape (n,)
    reference : array of shape (m, d)
        Unit rows, such as training data.
    reference_labels : integer array of shape (m,)
    same : integer array of shape (n,), optional
        For rows that are in ``reference``: their index there, which is left out; -1 for others.

    Returns
    -------
    array of shape (n,)
        From -2 to 2; NaN where the reference has no other row of the class, or only rows of it.

    Raises
    ------
    InputError
        Shapes that do not belong together.

    References
    ----------
    K. Crammer, R. Gilad-Bachrach, A. Navot, N. Tishby, *Margin analysis of the LVQ algorithm*,
    NeurIPS 2002 (hypothesis margin). With single points as clusters it is the margin of Eq. 9.

    Examples
    --------
    >>> local_margin(np.eye(2), np.array([0, 1]), np.eye(2), np.array([0, 1])).tolist()
    [1.0, 1.0]
    """
    features, reference = numeric(features, "features"), numeric(reference, "reference")
    labels = array_of(labels, "labels")
    reference_labels = array_of(reference_labels, "reference_labels")
    if not (
        features.ndim == reference.ndim == 2
        and features.shape[1] == reference.shape[1]
        and labels.shape == features.shape[:1]
        and reference_labels.shape == reference.shape[:1]
    ):
        raise InputError(
            f"features {features.shape} and reference {reference.shape} must have the same d, and "
            f"a label for each row, but there are {labels.shape} and {reference_labels.shape}."
        )
    margins = np.full(len(features), np.nan)
    step = max(1, CHUNK // max(1, len(reference)))
    for start in range(0, len(features), step):
        part = slice(start, start + step)
        similarity = features[part] @ reference.T
        if same is not None:
            inside = np.flatnonzero(same[part] >= 0)
            similarity[inside, same[part][inside]] = -np.inf
        own = labels[part, None] == reference_labels
        nearest = [
            np.where(of, similarity, -np.inf).max(axis=1, initial=-np.inf) for of in (own, ~own)
        ]
        known = np.isfinite(nearest).all(axis=0)
        margins[part][known] = (nearest[0] - nearest[1])[known]
    return margins
