"""The images that tell most of a judge: its surest mistakes and hits (Fig. 10 of the paper)."""

from __future__ import annotations

import numpy as np

from clmle.checks import array_of, whole
from clmle.errors import InputError
from clmle.metrics.ranking import log_odds

KINDS = {
    "missed": "shown, but judged not shown: surest first",
    "false alarm": "not shown, but judged shown: surest first",
    "found": "shown and judged so: surest first",
    "narrowly found": "shown and judged so: least sure first",
    "rightly refused": "not shown and judged so: surest first",
}


def confident_errors(
    labels: np.ndarray, scores: np.ndarray, count: int = 24
) -> dict[str, np.ndarray]:
    """Places of the ``count`` most telling images of each kind of KINDS.

    ``labels`` (n,) are 0 (not shown) or 1 (shown), ``scores`` (n, 2). How sure a judgement is, is
    how far the scores of the two classes are apart. Equals stay in their order; class 0 is
    judged where both scores are the same.

    Raises
    ------
    InputError
        Scores of another shape.
    """
    labels, odds = array_of(labels, "labels"), log_odds(scores)
    count = whole(count, "count", 0)
    if labels.shape != odds.shape:
        raise InputError(
            f"labels must be (n,) as the {len(odds):,} scores, but are {labels.shape}."
        )
    shown, judged = labels == 1, odds > 0
    kinds = {
        "missed": (shown & ~judged, odds),
        "false alarm": (~shown & judged, -odds),
        "found": (shown & judged, -odds),
        "narrowly found": (shown & judged, odds),
        "rightly refused": (~shown & ~judged, odds),
    }
    found = {}
    for kind, (mine, order) in kinds.items():
        places = np.flatnonzero(mine)
        found[kind] = places[np.argsort(order[places], kind="stable")][:count]
    return found
