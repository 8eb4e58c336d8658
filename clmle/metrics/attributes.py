"""Metrics of many binary attributes, and their means."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from clmle.checks import array_of, numeric, whole
from clmle.errors import InputError
from clmle.metrics.classification import classification_metrics
from clmle.metrics.intervals import bootstrap_counts, interval

AVERAGED = ("balanced_accuracy", "accuracy", "average_precision", "roc_auc", "mcc")


def attribute_metrics(
    labels: np.ndarray,
    scores: np.ndarray,
    names: Sequence[str],
    *,
    n_bootstrap: int = 1000,
    seed: int = 0,
) -> dict[str, Any]:
    """Metrics of every attribute, and their means over attributes.

    Each attribute is evaluated on the images with a known label.

    Parameters
    ----------
    labels : integer array of shape (n, A)
        1 present, 0 absent, -1 unknown.
    scores : array of shape (n, A, 2)
        Scores of absent and present; larger is more likely.
    names : sequence of A strings
        Names of the attributes.
    n_bootstrap, seed : int
        Bootstrap samples, of whole images since the errors of their attributes depend on each
        other, and their seed.

    Returns
    -------
    dict
        The keys of :func:`classification_metrics`, each a mean over attributes (``confusion`` a
        sum); ``attributes``, name -> metrics; ``left_out``, the names of attributes without a
        present or without an absent image, which are not part of the means.

    References
    ----------
    Section 5 of the CLMLE paper.

    Examples
    --------
    >>> labels, scores = np.array([[1, 0], [0, -1]]), np.array([[[0, 1], [1, 0]], [[1, 0], [0, 0]]])
    >>> found = attribute_metrics(labels, scores, ["Smiling", "Bald"], n_bootstrap=10)
    >>> found["balanced_accuracy"], found["left_out"]
    (1.0, ['Bald'])
    """
    labels, scores = array_of(labels, "labels"), numeric(scores, "scores")
    whole(n_bootstrap, "n_bootstrap", 1)
    if labels.ndim != 2 or labels.dtype.kind not in "iu" or labels.shape[1] != len(names):
        raise InputError(
            f"labels must be integers (n, A), A = {len(names)} as names, but are {labels.shape} "
            f"of {labels.dtype}."
        )
    if scores.shape != (*labels.shape, 2):
        raise InputError(f"scores must be {(*labels.shape, 2)}, but are {scores.shape}.")
    found: dict[str, dict[str, Any]] = {}
    left_out = []
    for a, name in enumerate(names):
        known = labels[:, a] >= 0
        if set(np.unique(labels[known, a])) == {0, 1}:
            found[name] = classification_metrics(labels[known, a], scores[known, a])
        else:
            left_out.append(name)
    kept = [a for a, name in enumerate(names) if name in found]
    result: dict[str, Any] = {"attributes": found, "left_out": left_out, "n": len(labels)}
    if not found:
        return result | dict.fromkeys((*AVERAGED, "interval", "recall", "confusion"))
    each = list(found.values())
    for metric in AVERAGED:
        result[metric] = float(np.mean([one[metric] for one in each]))
    result["recall"] = np.mean([one["recall"] for one in each], axis=0).tolist()
    result["confusion"] = np.sum([one["confusion"] for one in each], axis=0).tolist()
    right = scores[:, kept].argmax(axis=2) == labels[:, kept]
    result["interval"] = _interval(labels[:, kept], right, n_bootstrap, seed)
    return result


def _interval(labels: np.ndarray, right: np.ndarray, n_bootstrap: int, seed: int) -> list[float]:
    """95 % interval of the mean balanced accuracy, by a bootstrap over whole images."""
    classes = [(labels == value).astype(np.float32) for value in (0, 1)]
    hits = [members * right for members in classes]
    means = []
    for counts in bootstrap_counts(len(labels), n_bootstrap, seed):
        drawn = counts.astype(np.float32)  # sums over images are matrix products
        recalls = [
            (drawn @ hit) / np.maximum(drawn @ members, 1)
            for hit, members in zip(hits, classes, strict=True)
        ]
        means.append(np.mean(recalls, axis=(0, 2)))
    return interval(np.concatenate(means))
