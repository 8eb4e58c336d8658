"""Receiver operating characteristic, exact from scores: TAR at FAR, AUC, EER.

A pair is accepted where its similarity is *above* a threshold. With N impostor pairs a target FAR
allows k = floor(FAR N) false accepts, so the lowest threshold that keeps to it is the (k + 1)-th
largest impostor similarity: any lower one accepts that pair too. This holds under ties, which
are accepted or refused together.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from clmle.checks import array_of
from clmle.errors import InputError
from clmle.metrics.identity_bootstrap import tar_identity_bootstrap
from clmle.metrics.intervals import wilson

FARS = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6)


def allowed(far: float, n_impostors: int) -> int:
    """k = floor(FAR N), with FAR as the decimal number that was written.

    Raises
    ------
    InputError
        FAR is not between 0 and 1.

    Examples
    --------
    >>> allowed(1e-6, 4_000_000_000)
    4000
    """
    if not 0 < far < 1:
        raise InputError(f"A FAR is {far}, but must be between 0 and 1, such as 1e-6.")
    return math.floor(Fraction(repr(float(far))) * n_impostors)


def checked_scores(values: Any, name: str) -> np.ndarray:
    """Scores (n,) in one row, finite and at least one."""
    array = array_of(values, "scores")
    if array.ndim != 1 or not len(array):
        raise InputError(
            f"The {name} similarities must be numbers (n,), at least one, but are {array.shape}."
        )
    if array.dtype.kind not in "fiu":
        raise InputError(f"The {name} similarities must be numbers, but are {array.dtype}.")
    if not np.isfinite(array).all():
        at = int(np.flatnonzero(~np.isfinite(array))[0])
        raise InputError(
            f"The {name} similarities hold {array[at]} at place {at}; leave such pairs out."
        )
    return array


def tar_at_far(
    genuine: Any,
    impostor: Any,
    fars: Sequence[float] = FARS,
    *,
    genuine_people: Any = None,
    impostor_people: Any = None,
    n_bootstrap: int = 1000,
    seed: int = 0,
) -> list[dict[str, Any]]:
    """The largest share of genuine pairs accepted at a FAR of at most each target, exactly.

    Parameters
    ----------
    genuine : (n,) similarities of pairs of one person
    impostor : (N,) similarities of pairs of two people
    fars : targets in (0, 1)
    genuine_people : (n,), optional
        The person of each genuine pair: adds ``people_interval``, whole people redrawn.
    impostor_people : (N, 2), optional
        Both people of each impostor pair: the threshold is then found anew in every redraw, a
        pair counting as often as its first times its second person was drawn.

    Returns
    -------
    list of dict
        For each target: far, allowed (false accepts), threshold (accepted is what lies above),
        false_accepts, tar, interval (Wilson, 95 %: pairs as if independent), people_interval,
        note. Where N < 1 / FAR the figures are None and ``note`` says why.

    Raises
    ------
    InputError
        No score, NaN or infinities, a FAR outside (0, 1), people that do not fit the pairs.

    Examples
    --------
    >>> at = tar_at_far([0.9, 0.5, 0.2], [0.5, 0.1, 0.0, 0.3], [0.25, 1e-3])
    >>> at[0]["tar"], at[0]["threshold"], at[1]["tar"]
    (0.6666666666666666, 0.3, None)
    """
    g, i = checked_scores(genuine, "genuine"), checked_scores(impostor, "impostor")
    counts = [allowed(far, len(i)) for far in fars]
    places = sorted({len(i) - 1 - k for k in counts if k})
    ordered = np.partition(i, places) if places else i
    rows = []
    for far, k in zip(fars, counts, strict=True):
        threshold = float(ordered[len(i) - 1 - k]) if k else None
        above = int(np.count_nonzero(i > threshold)) if k else None
        rows.append(tar_row(far, k, len(i), g, threshold, above))
    if genuine_people is not None:
        resolved = [row for row in rows if row["tar"] is not None]
        found = tar_identity_bootstrap(
            g, i, genuine_people, impostor_people,
            [(row["far"], row["allowed"]) for row in resolved],
            n_bootstrap=n_bootstrap, seed=seed,
        )  # fmt: skip
        for row, interval in zip(resolved, found, strict=True):
            row["people_interval"] = interval
    return rows


def tar_row(
    far: float,
    k: int,
    n_impostors: int,
    genuine: np.ndarray,
    threshold: float | None,
    false_accepts: int | None,
) -> dict[str, Any]:
    """The figures at one target FAR, given its threshold (None where k = 0)."""
    row: dict[str, Any] = {
        "far": float(far), "allowed": k, "threshold": threshold, "false_accepts": false_accepts,
        "tar": None, "interval": None, "people_interval": None, "note": "",
    }  # fmt: skip
    if threshold is None:
        least = math.ceil(1 / Fraction(repr(float(far))))
        row["note"] = (
            f"FAR {far:g} needs at least {least:,} impostor pairs, and there are {n_impostors:,}."
        )
        return row
    hits = int(np.count_nonzero(genuine > threshold))
    return row | {"tar": hits / len(genuine), "interval": wilson(hits, len(genuine))}


def roc_curve(genuine: Any, impostor: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """FAR, TAR and threshold of every corner of the exact curve, from (0, 0) to (1, 1).

    The thresholds are the distinct similarities, largest first, accepted from there on (at or
    above), after an infinite one; corners in line with their neighbors are left out.
    """
    from sklearn.metrics import roc_curve as corners

    g, i = checked_scores(genuine, "genuine"), checked_scores(impostor, "impostor")
    same = np.repeat([True, False], [len(g), len(i)])
    far, tar, threshold = corners(same, np.concatenate([g, i]))
    return far, tar, threshold


def auc(genuine: Any, impostor: Any) -> float:
    """Area under the curve: how often a genuine pair is above an impostor one, ties half."""
    g, i = checked_scores(genuine, "genuine"), np.sort(checked_scores(impostor, "impostor"))
    below = np.searchsorted(i, g, "left").sum(dtype=np.float64)
    at_most = np.searchsorted(i, g, "right").sum(dtype=np.float64)
    return float((below + at_most) / (2 * len(g) * len(i)))


def eer(far: np.ndarray, tar: np.ndarray) -> float:
    """Equal error rate: where FAR = 1 - TAR on the curve's corners joined by lines.

    ``far`` and ``tar`` grow together, from (0, 0) to (1, 1).
    """
    gap = np.asarray(far) + np.asarray(tar) - 1  # grows from -1 to 1
    at = int(np.searchsorted(gap, 0.0))
    if at == 0:
        return float(far[0])
    part = -gap[at - 1] / (gap[at] - gap[at - 1])
    return float(far[at - 1] + part * (far[at] - far[at - 1]))
