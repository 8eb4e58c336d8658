"""Recall of the group of samples that a classifier recognizes least."""

from typing import Any

import numpy as np

from clmle.checks import names_of
from clmle.metrics.classification import labels_and_predictions


def worst_group_recall(labels: Any, predicted: Any, groups: Any) -> float:
    """Lowest recall of a class within a group.

    Parameters
    ----------
    labels, predicted : arrays of shape (n,)
        True and predicted class of each sample; numbers or words.
    groups : array of shape (n,)
        Group of each sample, such as its sub-population, hospital or gender. With ``labels`` as
        groups the result is the lowest recall of a class.

    Returns
    -------
    float
        Between 0 and 1, over the pairs of class and group that occur.

    Raises
    ------
    InputError
        If the arrays have different lengths, are empty or contain NaN.

    References
    ----------
    S. Sagawa, P. W. Koh, T. B. Hashimoto, P. Liang, *Distributionally robust neural networks for
    group shifts*, ICLR 2020: accuracy of the worst group of class and attribute.

    Examples
    --------
    >>> worst_group_recall([0, 0, 0, 1], [0, 0, 1, 1], ["day", "night", "night", "day"])
    0.5
    """
    y, y_hat = labels_and_predictions(labels, predicted)
    group = names_of(groups, "groups", len(y), "samples")
    pairs = np.stack([np.unique(x, return_inverse=True)[1] for x in (y, group)], axis=1)
    _, index, n = np.unique(pairs, axis=0, return_inverse=True, return_counts=True)
    return float((np.bincount(index.ravel(), weights=y == y_hat) / n).min())
