"""The most confident errors and hits of a binary classifier (Fig. 10 of the paper)."""

import numpy as np

from clmle.checks import array_of, whole
from clmle.errors import InputError
from clmle.metrics.curves import log_odds

KINDS = {
    "missed": "present, but predicted absent: most confident first",
    "false alarm": "absent, but predicted present: most confident first",
    "found": "present and predicted present: most confident first",
    "narrowly found": "present and predicted present: least confident first",
    "correctly rejected": "absent and predicted absent: most confident first",
}


def confident_errors(
    labels: np.ndarray, scores: np.ndarray, count: int = 24
) -> dict[str, np.ndarray]:
    """Indices of the most confident false and correct predictions.

    The confidence is the difference of the scores of the two classes. Ties keep their order; equal
    scores of both classes predict class 0.

    Parameters
    ----------
    labels : array of shape (n,)
        0 (absent) or 1 (present).
    scores : array of shape (n, 2)
        Scores of the two classes.
    count : int
        Number of images of each kind, at most.

    Returns
    -------
    dict of arrays
        Kind -> indices, for ``"missed"`` (false negatives), ``"false alarm"`` (false positives),
        ``"found"`` and ``"narrowly found"`` (true positives) and ``"correctly rejected"``.

    Examples
    --------
    >>> found = confident_errors([1, 1, 0], [[0, 2], [3, 0], [0, 1]])
    >>> found["missed"].tolist(), found["false alarm"].tolist()
    ([1], [2])
    """
    labels, odds = array_of(labels, "labels"), log_odds(scores)
    count = whole(count, "count", 0)
    if labels.shape != odds.shape:
        raise InputError(
            f"labels must be (n,), n = {len(odds):,} as scores, but are {labels.shape}."
        )
    present, predicted = labels == 1, odds > 0
    kinds = {
        "missed": (present & ~predicted, odds),
        "false alarm": (~present & predicted, -odds),
        "found": (present & predicted, -odds),
        "narrowly found": (present & predicted, odds),
        "correctly rejected": (~present & ~predicted, odds),
    }
    found = {}
    for kind, (mask, order) in kinds.items():
        rows = np.flatnonzero(mask)
        found[kind] = rows[np.argsort(order[rows], kind="stable")][:count]
    return found
