"""Face verification: are two images of one person? Protocols of LFW and YTF, all figures of a set.

G. B. Huang et al., *Labeled Faces in the Wild* (2007); L. Wolf et al., *Face recognition in
unconstrained videos with matched background similarity* (2011).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from clmle.checks import array_of
from clmle.errors import InputError
from clmle.metrics.roc import FARS, auc, checked_scores, eer, roc_curve, tar_at_far


def fold_accuracy(similarity: Any, same: Any, fold: Any) -> dict[str, Any]:
    """Accuracy of pairs in folds, each judged by the threshold that is best on all others.

    Thresholds tried lie midway between neighboring distinct similarities of the other folds, and
    outside of all; of several that are equally good the middle one is taken, in order of
    size (of an even number the lower of the middle two). Accepted is what lies above.

    Parameters
    ----------
    similarity : (n,)
    same : (n,) bool, true where both images show one person
    fold : (n,) the fold of each pair, two or more different values

    Returns
    -------
    dict
        accuracy (mean over folds), standard_error (of that mean, over folds), folds (for each:
        fold, n, threshold, accuracy), n.

    Raises
    ------
    InputError
        Shapes that differ, NaN, one fold only, or only one kind of pair outside a fold.

    References
    ----------
    LFW, view 2: ten folds of 300 pairs of one person and 300 of two.

    Examples
    --------
    >>> fold_accuracy([0.9, 0.1, 0.8, 0.2], [1, 0, 1, 0], [0, 0, 1, 1])["accuracy"]
    1.0
    """
    scores = checked_scores(similarity, "given").astype(np.float64)
    truth, part = array_of(same, "same"), array_of(fold, "fold")
    if not scores.shape == truth.shape == part.shape:
        raise InputError(
            f"similarity, same and fold must be of one length, but are {scores.shape}, "
            f"{truth.shape} and {part.shape}."
        )
    truth = checked_bool(truth, "same")
    if (part != part).any():
        raise InputError("fold holds NaN; name the fold of each pair.")
    folds = np.unique(part)
    if len(folds) < 2:
        raise InputError("There is one fold only; give pairs in two or more, LFW has ten.")
    rows = []
    for name in folds:
        inside = part == name
        if truth[~inside].all() or not truth[~inside].any():
            raise InputError(
                f"Outside fold {name} all pairs are of one kind, so that no threshold can be "
                "chosen; mix pairs of one person and of two in every fold."
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
    """The threshold above which accepting is right most often; ties as in :func:`fold_accuracy`."""
    values, index = np.unique(similarity, return_inverse=True)
    genuine = np.bincount(index, weights=same, minlength=len(values))
    impostor = np.bincount(index, weights=~same, minlength=len(values))
    # Right if the j smallest distinct values are refused: impostors among them, genuine beyond.
    refused = np.concatenate([[0], np.cumsum(impostor)])
    accepted = genuine.sum() - np.concatenate([[0], np.cumsum(genuine)])
    best = np.flatnonzero(refused + accepted == (refused + accepted).max())
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
    people: Any = None,
    fars: Sequence[float] = FARS,
    n_bootstrap: int = 1000,
    seed: int = 0,
) -> dict[str, Any]:
    """All figures of a set of pairs, as plain numbers.

    Parameters
    ----------
    similarity : (n,)
    same : (n,) bool
    people : (n, 2), optional
        Who is on both images of each pair: adds intervals over whole people.

    Returns
    -------
    dict
        tar_at_far (as :func:`~clmle.metrics.roc.tar_at_far`), auc, eer, n_genuine, n_impostor.

    Raises
    ------
    InputError
        Shapes that differ, NaN, no pair of one person or none of two, people at odds with same.
    """
    scores = checked_scores(similarity, "given")
    truth = array_of(same, "same")
    if truth.shape != scores.shape:
        raise InputError(
            f"same must be (n,) as the {len(scores):,} similarities, but is {truth.shape}."
        )
    truth = checked_bool(truth, "same")
    for kind, present in (("one person", truth.any()), ("two people", (~truth).any())):
        if not present:
            raise InputError(f"There is no pair of {kind}; give pairs of both kinds.")
    genuine, impostor = scores[truth], scores[~truth]
    own = both = None
    if people is not None:
        named = array_of(people, "people")
        if named.shape != (len(scores), 2):
            raise InputError(f"people must be ({len(scores)}, 2), but is {named.shape}.")
        if ((named[:, 0] == named[:, 1]) != truth).any():
            raise InputError("people and same disagree on whether a pair shows one person.")
        own, both = named[truth, 0], named[~truth]
    far, tar, _ = roc_curve(genuine, impostor)
    return {
        "tar_at_far": tar_at_far(
            genuine, impostor, fars, genuine_people=own, impostor_people=both,
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
    """Rows of the hardest pairs, right and wrong (Fig. 8 of the paper).

    Returns ``right_same``, ``right_different``: judged rightly, nearest to the threshold first;
    ``wrong_same``, ``wrong_different``: judged wrongly, farthest from it first.
    """
    scores = checked_scores(similarity, "given").astype(np.float64)
    truth = checked_bool(array_of(same, "same"), "same")
    if truth.shape != scores.shape:
        raise InputError(f"same is {truth.shape}, but there are {len(scores):,} similarities.")
    apart, right = np.abs(scores - threshold), (scores > threshold) == truth
    chosen = {}
    for outcome, judged, sign in (("right", right, 1), ("wrong", ~right, -1)):
        for kind, mine in (("same", truth), ("different", ~truth)):
            rows = np.flatnonzero(judged & mine)
            chosen[f"{outcome}_{kind}"] = rows[np.argsort(sign * apart[rows], kind="stable")][:each]
    return chosen


def checked_bool(values: np.ndarray, name: str) -> np.ndarray:
    """True and false, or 1 and 0, as bool."""
    if values.dtype != bool and not np.isin(values, (0, 1)).all():
        raise InputError(f"{name} must be true or false (1 or 0) for each pair.")
    return values.astype(bool)
