"""Face verification: do two images show one identity? Protocols of LFW and YTF.

G. B. Huang et al., *Labeled Faces in the Wild* (2007); L. Wolf et al., *Face recognition in
unconstrained videos with matched background similarity* (2011).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from clmle.checks import array_of, names_of
from clmle.errors import InputError
from clmle.metrics.roc import FARS, auc, checked_scores, eer, roc_curve, tar_at_far


def fold_accuracy(similarity: Any, same: Any, fold: Any) -> dict[str, Any]:
    """Accuracy by cross-validation: the best threshold of the other folds classifies each fold.

    Candidate thresholds are midway between neighboring distinct similarities of the other folds,
    below all and above all. Of several equally good ones the middle one is used (the lower of the
    middle two for an even number). Pairs above the threshold are accepted.

    Parameters
    ----------
    similarity : array of shape (n,)
        Similarity of each pair.
    same : boolean array of shape (n,)
        Whether both images show one identity.
    fold : array of shape (n,)
        Fold of each pair, two or more different values.

    Returns
    -------
    dict
        ``accuracy``, the mean over folds; ``standard_error`` of that mean; ``folds``, for each
        ``fold``, ``n``, ``threshold`` and ``accuracy``; ``n``.

    References
    ----------
    G. B. Huang et al., *Labeled Faces in the Wild* (2007), view 2: ten folds of 300 pairs of one
    identity and 300 of two.

    Examples
    --------
    >>> fold_accuracy([0.9, 0.1, 0.8, 0.2], [1, 0, 1, 0], [0, 0, 1, 1])["accuracy"]
    1.0
    """
    scores, truth = _checked_pairs(similarity, same)
    scores, part = scores.astype(np.float64), names_of(fold, "fold", len(scores), "pairs")
    folds = np.unique(part)
    if len(folds) < 2:
        raise InputError("There is a single fold; give pairs in two or more, LFW has ten.")
    rows = []
    for name in folds:
        inside = part == name
        if truth[~inside].all() or not truth[~inside].any():
            raise InputError(
                f"Outside fold {name} all pairs are of one kind, so that no threshold can be "
                "chosen; put pairs of one and of two identities into every fold."
            )
        threshold = best_threshold(scores[~inside], truth[~inside])
        right = (scores[inside] > threshold) == truth[inside]
        rows.append({"fold": name.item(), "n": int(inside.sum()), "threshold": threshold,
                     "accuracy": float(right.mean())})  # fmt: skip
    each = np.array([row["accuracy"] for row in rows])
    return {
        "accuracy": float(each.mean()),
        "standard_error": float(each.std(ddof=1) / np.sqrt(len(each))),
        "folds": rows,
        "n": len(scores),
    }


def best_threshold(similarity: np.ndarray, same: np.ndarray) -> float:
    """The threshold of highest accuracy on pairs (n,); ties as in :func:`fold_accuracy`."""
    values, index = np.unique(similarity, return_inverse=True)
    genuine = np.bincount(index, weights=same, minlength=len(values))
    impostor = np.bincount(index, weights=~same, minlength=len(values))
    # Correct if the j smallest distinct values are rejected.
    rejected = np.concatenate([[0], np.cumsum(impostor)])
    accepted = genuine.sum() - np.concatenate([[0], np.cumsum(genuine)])
    best = np.flatnonzero(rejected + accepted == (rejected + accepted).max())
    j = int(best[(len(best) - 1) // 2])
    if j == 0:
        return float(values[0] - 1)
    if j == len(values):
        return float(values[-1] + 1)
    middle = (values[j - 1] + values[j]) / 2
    return float(middle if middle < values[j] else values[j - 1])


def verification_metrics(
    similarity: Any,
    same: Any,
    *,
    identities: Any = None,
    fars: Sequence[float] = FARS,
    n_bootstrap: int = 1000,
    seed: int = 0,
) -> dict[str, Any]:
    """All metrics of a set of pairs.

    Parameters
    ----------
    similarity, same : arrays of shape (n,)
        As in :func:`fold_accuracy`.
    identities : array of shape (n, 2), optional
        Identities of both images of each pair: adds intervals over whole identities.
    fars : sequence of float
        Target FARs in (0, 1).
    n_bootstrap, seed : int
        Bootstrap samples over identities, and their seed.

    Returns
    -------
    dict
        ``tar_at_far`` (see :func:`tar_at_far`), ``auc``, ``eer``, ``n_genuine``, ``n_impostor``.

    References
    ----------
    G. B. Huang, M. Ramesh, T. Berg, E. Learned-Miller, *Labeled Faces in the Wild*, 2007;
    I. Kemelmacher-Shlizerman et al., *The MegaFace benchmark*, CVPR 2016.

    Examples
    --------
    >>> found = verification_metrics([0.9, 0.8, 0.3, 0.1], [1, 1, 0, 0], fars=[0.5])
    >>> found["auc"], found["eer"], found["tar_at_far"][0]["tar"]
    (1.0, 0.0, 1.0)
    """
    scores, truth = _checked_pairs(similarity, same)
    for kind, present in (("one identity", truth.any()), ("two identities", (~truth).any())):
        if not present:
            raise InputError(f"There is no pair of {kind}; give pairs of both kinds.")
    genuine, impostor = scores[truth], scores[~truth]
    own = both = None
    if identities is not None:
        named = array_of(identities, "identities")
        if named.shape != (len(scores), 2):
            raise InputError(f"identities must be ({len(scores)}, 2), but are {named.shape}.")
        if ((named[:, 0] == named[:, 1]) != truth).any():
            raise InputError("identities and same disagree on whether a pair shows one identity.")
        own, both = named[truth, 0], named[~truth]
    far, tar, _ = roc_curve(genuine, impostor)
    return {
        "tar_at_far": tar_at_far(
            genuine, impostor, fars, genuine_identities=own, impostor_identities=both,
            n_bootstrap=n_bootstrap, seed=seed,
        ),
        "auc": auc(genuine, impostor),
        "eer": eer(far, tar),
        "n_genuine": len(genuine),
        "n_impostor": len(impostor),
    }  # fmt: skip


def challenging_pairs(
    similarity: Any, same: Any, threshold: float, each: int = 6
) -> dict[str, np.ndarray]:
    """The most difficult pairs, correct and wrong (Fig. 8 of the paper).

    Parameters
    ----------
    similarity, same : arrays of shape (n,)
        As in :func:`fold_accuracy`.
    threshold : float
        Pairs above it are accepted.
    each : int
        Number of pairs of each kind, at most.

    Returns
    -------
    dict of arrays
        Rows ``right_same`` and ``right_different``, correct and nearest to the threshold first;
        ``wrong_same`` and ``wrong_different``, wrong and farthest from it first.

    References
    ----------
    Fig. 8 of the CLMLE paper.

    Examples
    --------
    >>> found = challenging_pairs([0.9, 0.6, 0.2, 0.7], [1, 1, 1, 0], 0.5)
    >>> found["right_same"].tolist(), found["wrong_same"].tolist()
    ([1, 0], [2])
    """
    scores, truth = _checked_pairs(similarity, same)
    scores = scores.astype(np.float64)
    distance, right = np.abs(scores - threshold), (scores > threshold) == truth
    chosen = {}
    for outcome, mask, sign in (("right", right, 1), ("wrong", ~right, -1)):
        for kind, members in (("same", truth), ("different", ~truth)):
            rows = np.flatnonzero(mask & members)
            order = np.argsort(sign * distance[rows], kind="stable")
            chosen[f"{outcome}_{kind}"] = rows[order][:each]
    return chosen


def _checked_pairs(similarity: Any, same: Any) -> tuple[np.ndarray, np.ndarray]:
    """Similarities (n,) and whether each pair shows one identity, as bool (n,)."""
    scores, truth = checked_scores(similarity, "given"), array_of(same, "same")
    if truth.shape != scores.shape:
        raise InputError(f"same must be ({len(scores)},) as similarity, but is {truth.shape}.")
    if truth.dtype != bool and not np.isin(truth, (0, 1)).all():
        raise InputError("same must be true or false (1 or 0) for each pair.")
    return scores, truth.astype(bool)
