"""Receiver operating characteristic of verification: TAR at FAR, AUC and EER, exactly.

A pair is accepted if its similarity is *above* a threshold. With N impostor pairs, a target FAR
allows k = floor(FAR N) false accepts. The lowest threshold with at most k false accepts is the
(k + 1)-th largest impostor similarity. This also holds for ties, which are accepted or rejected
together.
"""

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
    """Return k = floor(FAR N), where FAR is the decimal number as written.

    >>> allowed(1e-6, 4_000_000_000)
    4000
    """
    if not 0 < far < 1:
        raise InputError(f"A FAR is {far}, but must be between 0 and 1, such as 1e-6.")
    return math.floor(Fraction(repr(float(far))) * n_impostors)


def least_pairs(rate: float) -> int:
    """The smallest number of pairs with one allowed error at a rate."""
    return math.ceil(1 / Fraction(repr(float(rate))))


def checked_scores(values: Any, name: str) -> np.ndarray:
    """Scores (n,), finite, at least one."""
    array = array_of(values, "scores")
    if array.ndim != 1 or not len(array) or array.dtype.kind not in "fiu":
        raise InputError(
            f"The {name} similarities must be numbers (n,), at least one, but are {array.shape} "
            f"of {array.dtype}."
        )
    if not np.isfinite(array).all():
        at = int(np.flatnonzero(~np.isfinite(array))[0])
        raise InputError(
            f"The {name} similarities contain {array[at]} at index {at}; remove such pairs."
        )
    return array


def tar_at_far(
    genuine: Any,
    impostor: Any,
    fars: Sequence[float] = FARS,
    *,
    genuine_identities: Any = None,
    impostor_identities: Any = None,
    n_bootstrap: int = 1000,
    seed: int = 0,
) -> list[dict[str, Any]]:
    """The largest true accept rate (TAR) at a false accept rate (FAR) of at most each target.

    Parameters
    ----------
    genuine : array of shape (n,)
        Similarities of pairs of one identity.
    impostor : array of shape (N,)
        Similarities of pairs of two identities.
    fars : sequence of float
        Target FARs in (0, 1).
    genuine_identities : array of shape (n,), optional
        Identity of each genuine pair: adds ``identity_interval``, a bootstrap over whole
        identities.
    impostor_identities : array of shape (N, 2), optional
        Both identities of each impostor pair: every bootstrap sample then has its own threshold. A
        pair counts as often as its first times its second identity is drawn.
    n_bootstrap, seed : int
        Bootstrap samples, and their seed.

    Returns
    -------
    list of dict
        For each target: ``far``; ``allowed``, the allowed false accepts; ``threshold`` (pairs
        above it are accepted); ``false_accepts``; ``tar``; ``interval`` (Wilson, pairs as if
        independent); ``identity_interval``; ``note``. For N < 1 / FAR the values are None and
        ``note`` states the reason.

    References
    ----------
    I. Kemelmacher-Shlizerman et al., *The MegaFace benchmark: 1 million faces for recognition at
    scale*, CVPR 2016.

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
    if genuine_identities is not None:
        resolved = [row for row in rows if row["tar"] is not None]
        found = tar_identity_bootstrap(
            g, i, genuine_identities, impostor_identities,
            [(row["far"], row["allowed"]) for row in resolved],
            n_bootstrap=n_bootstrap, seed=seed,
        )  # fmt: skip
        for row, interval in zip(resolved, found, strict=True):
            row["identity_interval"] = interval
    return rows


def tar_row(
    far: float,
    k: int,
    n_impostors: int,
    genuine: np.ndarray,
    threshold: float | None,
    false_accepts: int | None,
) -> dict[str, Any]:
    """The metrics at one target FAR, given its threshold (None where k = 0)."""
    row: dict[str, Any] = {
        "far": float(far), "allowed": k, "threshold": threshold, "false_accepts": false_accepts,
        "tar": None, "interval": None, "identity_interval": None, "note": "",
    }  # fmt: skip
    if threshold is None:
        row["note"] = (
            f"FAR {far:g} needs at least {least_pairs(far):,} impostor pairs, and there are "
            f"{n_impostors:,}."
        )
        return row
    hits = int(np.count_nonzero(genuine > threshold))
    return row | {"tar": hits / len(genuine), "interval": wilson(hits, len(genuine))}


def roc_curve(genuine: Any, impostor: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Corners of the exact ROC curve, from (0, 0) to (1, 1).

    Parameters
    ----------
    genuine, impostor : arrays of shape (n,) and (N,)
        As in :func:`tar_at_far`.

    Returns
    -------
    (FAR (m,), TAR (m,), thresholds (m,))
        The thresholds are distinct similarities in decreasing order, after infinity; pairs at or
        above a threshold are accepted. Corners on a line with their neighbors are left out.

    References
    ----------
    T. Fawcett, *An introduction to ROC analysis*, Pattern Recognition Letters 27 (2006).

    Examples
    --------
    >>> far, tar, _ = roc_curve([0.9, 0.4], [0.5, 0.1])
    >>> far.tolist(), tar.tolist()
    ([0.0, 0.0, 0.5, 0.5, 1.0], [0.0, 0.5, 0.5, 1.0, 1.0])
    """
    from sklearn.metrics import roc_curve as corners

    g, i = checked_scores(genuine, "genuine"), checked_scores(impostor, "impostor")
    same = np.repeat([True, False], [len(g), len(i)])
    far, tar, threshold = corners(same, np.concatenate([g, i]))
    return far, tar, threshold


def auc(genuine: Any, impostor: Any) -> float:
    """Area under the ROC curve.

    Parameters
    ----------
    genuine, impostor : arrays of shape (n,) and (N,)
        As in :func:`tar_at_far`.

    Returns
    -------
    float
        Probability that a genuine pair is more similar than an impostor pair; ties count half.

    References
    ----------
    T. Fawcett, *An introduction to ROC analysis*, Pattern Recognition Letters 27 (2006).

    Examples
    --------
    >>> auc([0.9, 0.4], [0.5, 0.1])
    0.75
    """
    g, i = checked_scores(genuine, "genuine"), np.sort(checked_scores(impostor, "impostor"))
    below = np.searchsorted(i, g, "left").sum(dtype=np.float64)
    at_most = np.searchsorted(i, g, "right").sum(dtype=np.float64)
    return float((below + at_most) / (2 * len(g) * len(i)))


def eer(far: np.ndarray, tar: np.ndarray) -> float:
    """Equal error rate: the FAR at which FAR = 1 - TAR, by linear interpolation.

    Parameters
    ----------
    far, tar : arrays of shape (m,)
        Corners of the ROC curve, increasing from (0, 0) to (1, 1).

    Returns
    -------
    float

    References
    ----------
    T. Fawcett, *An introduction to ROC analysis*, Pattern Recognition Letters 27 (2006).

    Examples
    --------
    >>> eer(np.array([0, 0, 0.5, 1]), np.array([0, 0.5, 1, 1]))
    0.25
    """
    gap = np.asarray(far) + np.asarray(tar) - 1  # increases from -1 to 1
    at = int(np.searchsorted(gap, 0.0))
    if at == 0:
        return float(far[0])
    part = -gap[at - 1] / (gap[at] - gap[at - 1])
    return float(far[at - 1] + part * (far[at] - far[at - 1]))
