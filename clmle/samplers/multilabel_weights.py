"""Weights of samples with several labels that make every label equally frequent."""

import numpy as np

from clmle.checks import number, numeric
from clmle.errors import InputError

RIDGE = 1e-4  # one solution, where labels exclude each other as well


def multilabel_weights(
    labels: np.ndarray, positive_rate: float | None = None, max_repeats: float = 10.0
) -> np.ndarray:
    """Sampling weights that give every label the same rate of positive samples.

    Samples with a rare label usually have frequent ones, too, so that drawing each label equally
    often does not make them equally frequent. Among the weights with the wanted rates and at most
    ``max_repeats`` times their natural value, these are the nearest to uniform weights in relative
    entropy. Rates that no such weights reach are approached.

    Parameters
    ----------
    labels : array of shape (n, L)
        1 or 0 for each sample and label; -1 or NaN where it is unknown.
    positive_rate : float, optional
        The wanted rate of every label among the samples where it is known, between 0 and 1. By
        default the mean of the rates in ``labels``: labels become equally frequent, and a sample
        keeps its mean number of labels. 0.5 balances the two values of every attribute.
    max_repeats : float
        The largest weight times n, above 1: how often a sample is drawn in n draws. Without a limit
        a few samples with a rare combination of labels would fill the batches.

    Returns
    -------
    array of shape (n,)
        They sum to 1.

    Raises
    ------
    InputError
        If ``labels`` are not such numbers, or no label is known.

    References
    ----------
    W. E. Deming, F. F. Stephan, *On a least squares adjustment of a sampled frequency table when
    the expected marginal totals are known*, Annals of Mathematical Statistics 11 (1940). C. T.
    Ireland, S. Kullback, *Contingency tables with given marginals*, Biometrika 55 (1968): weights
    with given marginals of least relative entropy.

    Examples
    --------
    >>> labels = np.array([[1, 0]] * 6 + [[1, 1]] * 2 + [[0, 0]] * 2)
    >>> labels.mean(axis=0).tolist()
    [0.8, 0.2]
    >>> (multilabel_weights(labels) @ labels).round(2).tolist()
    [0.5, 0.5]
    """
    from scipy.optimize import minimize

    y = numeric(labels, "labels").astype(np.float64)
    known = ~np.isnan(y) & (y != -1)
    if y.ndim != 2 or not known.any() or not np.isin(y[known], (0, 1)).all():
        raise InputError(
            f"labels {y.shape} must be (n, L) of 1 and 0, or -1 or NaN where a label is unknown; "
            "at least one must be known."
        )
    rates = [column[seen].mean() for column, seen in zip(y.T, known.T, strict=True) if seen.any()]
    wanted = number(np.mean(rates) if positive_rate is None else positive_rate, "positive_rate")
    if positive_rate is not None and not 0 < wanted < 1:
        raise InputError(f"positive_rate is {positive_rate}, but must be between 0 and 1.")
    most = number(max_repeats, "max_repeats", above=1) / len(y)
    excess = np.where(known, np.where(known, y, 0) - wanted, 0.0)  # weighted sums are to be 0

    def dual(theta: np.ndarray) -> tuple[float, np.ndarray]:
        scores = excess @ theta
        weights = _capped(scores, most)
        value = weights @ (scores - np.log(np.maximum(weights, 1e-300)))
        return value + RIDGE / 2 * theta @ theta, weights @ excess + RIDGE * theta

    found = minimize(dual, np.zeros(y.shape[1]), jac=True, method="L-BFGS-B")
    return _capped(excess @ found.x, most)


def _capped(scores: np.ndarray, most: float) -> np.ndarray:
    """Weights min(``most``, z exp(score)), with the z that makes them sum to 1."""
    ordered = np.sort(scores)[::-1]
    log_rest = np.logaddexp.accumulate(ordered[::-1])[::-1]  # of the sum from place k on
    # The weights from place k on sum to what the k largest, all of them ``most``, leave.
    left = np.maximum(1 - most * np.arange(len(scores)), 1e-300)
    log_z = np.log(left) - log_rest
    k = int(np.argmax(ordered + log_z <= np.log(most)))
    return np.asarray(np.exp(np.minimum(np.log(most), scores + log_z[k])))
