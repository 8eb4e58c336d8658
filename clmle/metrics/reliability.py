"""Whether probabilities are right: reliability diagram, Brier score, expected calibration error."""

from typing import Any

import numpy as np

from clmle.checks import array_of, numeric, whole
from clmle.errors import InputError
from clmle.metrics.intervals import wilson

BINS = 10
MOST_CLASSES = 100  # one-against-rest calibration errors are computed for at most so many


def reliability_bins(
    outcomes: Any, probabilities: Any, *, n_bins: int = BINS, equal_counts: bool = False
) -> list[dict[str, Any]]:
    """Predicted probability and observed frequency in bins: the points of a reliability diagram.

    Parameters
    ----------
    outcomes : array of shape (n,)
        Whether the event happened: 1 or True if it did.
    probabilities : array of shape (n,)
        Its predicted probability, in [0, 1].
    n_bins : int
        Number of bins; those without an image are left out.
    equal_counts : bool
        Bins of about equally many images in place of bins of equal width. Of a rare class nearly
        all probabilities are in the first bin of equal width.

    Returns
    -------
    list of dict
        For each bin: ``low`` and ``high`` (its ends; a value at an inner end belongs to the lower
        bin), ``n``, ``probability`` (mean of the predicted ones), ``frequency`` (fraction of the
        outcomes that are 1) and ``interval`` (Wilson's 95 % interval of it).

    References
    ----------
    A. Niculescu-Mizil and R. Caruana, *Predicting good probabilities with supervised learning*,
    ICML 2005.

    Examples
    --------
    >>> bins = reliability_bins([0, 0, 1, 1], [0.1, 0.2, 0.3, 0.9], n_bins=2)
    >>> [(b["n"], round(b["probability"], 2), round(b["frequency"], 2)) for b in bins]
    [(3, 0.2, 0.33), (1, 0.9, 1.0)]
    """
    y, p = _events(outcomes, probabilities)
    count = whole(n_bins, "n_bins", 1)
    edges = np.quantile(p, np.linspace(0, 1, count + 1)) if equal_counts else None
    if edges is None:
        edges = np.linspace(0, 1, count + 1)
    # As scikit-learn's calibration_curve: inner edges only, a value at an edge in the lower bin.
    index = np.searchsorted(edges[1:-1], p)
    n = np.bincount(index, minlength=count)
    hits = np.bincount(index, weights=y, minlength=count)
    total = np.bincount(index, weights=p, minlength=count)
    return [
        {
            "low": float(edges[b]), "high": float(edges[b + 1]), "n": int(n[b]),
            "probability": float(total[b] / n[b]), "frequency": float(hits[b] / n[b]),
            "interval": wilson(int(hits[b]), int(n[b])),
        }
        for b in np.flatnonzero(n)
    ]  # fmt: skip


def expected_calibration_error(outcomes: Any, probabilities: Any, *, n_bins: int = BINS) -> float:
    """Mean distance of predicted probability and observed frequency, weighted by images.

    Parameters
    ----------
    outcomes, probabilities : arrays of shape (n,)
        As in :func:`reliability_bins`.
    n_bins : int
        Number of bins of equal width.

    Returns
    -------
    float
        Sum over the bins of n_b / n times the distance of the two means; 0 is best. With few
        images it is above 0 for correct probabilities, too.

    References
    ----------
    C. Guo et al., *On calibration of modern neural networks*, ICML 2017, Eq. 3.

    Examples
    --------
    >>> round(expected_calibration_error([0, 1, 1, 1], [0.7, 0.7, 0.7, 0.9]), 3)
    0.05
    """
    bins = reliability_bins(outcomes, probabilities, n_bins=n_bins)
    n = sum(b["n"] for b in bins)
    return float(sum(b["n"] * abs(b["probability"] - b["frequency"]) for b in bins) / n)


def calibration_metrics(labels: Any, probabilities: Any, *, n_bins: int = BINS) -> dict[str, Any]:
    """Compute the Brier score and calibration errors of class probabilities.

    Parameters
    ----------
    labels : array of shape (n,)
        True classes, integers in [0, C).
    probabilities : array of shape (n, C)
        Rows in [0, 1] with the sum 1.
    n_bins : int
        Number of bins of the calibration errors.

    Returns
    -------
    dict
        ``brier_score``: mean over images of the squared distance of the probabilities to the true
        class, summed over the classes, for two classes of class 1 alone (as scikit-learn; 0 is
        best). ``brier_skill``: 1 minus its ratio to the Brier score of the class frequencies as
        probabilities; 0 or less is no better than these, and a rare class has a small Brier score
        in any case. ``calibration_error``: :func:`expected_calibration_error` of the predicted
        class, which has the largest probability. ``class_calibration_error``: of each class
        against the rest, or None with more than 100 classes.

    References
    ----------
    G. Brier, *Verification of forecasts expressed in terms of probability*, Monthly Weather
    Review 78 (1950). C. Guo et al., *On calibration of modern neural networks*, ICML 2017.

    Examples
    --------
    >>> found = calibration_metrics([0, 0, 0, 1], [[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.3, 0.7]])
    >>> round(found["brier_score"], 4), round(found["brier_skill"], 2)
    (0.0675, 0.64)
    """
    y, p = array_of(labels, "labels"), numeric(probabilities, "probabilities").astype(np.float64)
    if y.ndim != 1 or p.ndim != 2 or len(y) != len(p) or not len(y) or p.shape[1] < 2:
        raise InputError(
            f"labels (n,) and probabilities (n, C) must have the same n, at least 1, but are "
            f"{y.shape} and {p.shape}."
        )
    if y.dtype.kind not in "iu" or y.min() < 0 or y.max() >= p.shape[1]:
        raise InputError(f"labels must be integers from 0 to {p.shape[1] - 1}, the classes.")
    if not (np.isfinite(p).all() and (p >= 0).all() and np.allclose(p.sum(axis=1), 1, atol=1e-4)):
        raise InputError("probabilities must be in [0, 1], with the sum 1 in every row.")
    p = np.clip(p, 0, 1)
    frequency = np.bincount(y, minlength=p.shape[1]) / len(y)
    score, of_frequencies = _brier(y, p), _brier(y, np.broadcast_to(frequency, p.shape))
    called = p.argmax(axis=1)
    each = None
    if p.shape[1] <= MOST_CLASSES:
        each = [
            expected_calibration_error(y == c, p[:, c], n_bins=n_bins) for c in range(p.shape[1])
        ]
    return {
        "brier_score": score,
        "brier_skill": 1 - score / of_frequencies if of_frequencies else None,
        "calibration_error": expected_calibration_error(
            called == y, p[np.arange(len(y)), called], n_bins=n_bins
        ),
        "class_calibration_error": each,
        "n": len(y),
    }


def _brier(y: np.ndarray, p: np.ndarray) -> float:
    true = np.eye(p.shape[1])[y] if p.shape[1] == 2 else None
    if true is not None:
        return float(((p - true)[:, 1] ** 2).mean())
    own = p[np.arange(len(y)), y]
    return float(((p**2).sum(axis=1) - 2 * own + 1).mean())


def _events(outcomes: Any, probabilities: Any) -> tuple[np.ndarray, np.ndarray]:
    y, p = numeric(outcomes, "outcomes"), numeric(probabilities, "probabilities")
    if y.ndim != 1 or y.shape != p.shape or not len(y):
        raise InputError(
            f"outcomes and probabilities must be (n,), at least one, but are {y.shape} and "
            f"{p.shape}."
        )
    if not np.isin(y, (0, 1)).all():
        raise InputError("outcomes must be true or false (1 or 0) for each image.")
    if not ((p >= 0) & (p <= 1)).all():
        raise InputError("probabilities must be in [0, 1].")
    return y.astype(np.float64), p.astype(np.float64)
