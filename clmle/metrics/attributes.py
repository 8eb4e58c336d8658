"""Figures of many attributes: each on the images of which it is known, and their means."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from clmle.checks import array_of, numeric, whole
from clmle.errors import InputError
from clmle.metrics.classification import classification_metrics

AVERAGED = ("balanced_accuracy", "accuracy", "average_precision", "roc_auc", "mcc")


def attribute_metrics(
    labels: np.ndarray,
    scores: np.ndarray,
    names: Sequence[str],
    *,
    n_bootstrap: int = 1000,
    seed: int = 0,
) -> dict[str, Any]:
    """Figures of every attribute and, under the same names as for one, their means.

    Parameters
    ----------
    labels : (n, A), 1 shown, 0 not shown, -1 unknown (that image is left out of the attribute)
    scores : (n, A, 2), larger is likelier
    names : A names
    n_bootstrap : int
        Redraws of the interval of the mean balanced accuracy. Whole images are redrawn, since
        the attributes of one image are wrong together.

    Returns
    -------
    dict
        As :func:`~clmle.metrics.classification_metrics`, each the mean over
        attributes (``confusion`` the sum); ``attributes`` {name: figures}; ``left_out`` names
        those without an image that shows them or without one that does not, which are in no mean.
    """
    labels, scores = array_of(labels, "labels"), numeric(scores, "scores")
    whole(n_bootstrap, "n_bootstrap", 1)
    if labels.ndim != 2 or labels.dtype.kind not in "iu" or labels.shape[1] != len(names):
        raise InputError(
            f"labels must be whole numbers (n, A) of the {len(names)} attributes named, but are "
            f"{labels.shape} of {labels.dtype}."
        )
    if scores.shape != (*labels.shape, 2):
        raise InputError(f"scores must be {(*labels.shape, 2)}, but are {scores.shape}.")
    found: dict[str, dict[str, Any]] = {}
    left_out = []
    for a, name in enumerate(names):
        known = labels[:, a] >= 0
        if set(np.unique(labels[known, a])) == {0, 1}:
            found[name] = classification_metrics(
                labels[known, a], scores[known, a], n_bootstrap=n_bootstrap, seed=seed
            )
        else:
            left_out.append(name)
    kept = [a for a, name in enumerate(names) if name in found]
    result: dict[str, Any] = {"attributes": found, "left_out": left_out, "n": len(labels)}
    if not found:
        return result | dict.fromkeys((*AVERAGED, "interval", "recall", "confusion"))
    each = list(found.values())
    for figure in AVERAGED:
        result[figure] = float(np.mean([f[figure] for f in each]))
    result["recall"] = np.mean([f["recall"] for f in each], axis=0).tolist()
    result["confusion"] = np.sum([f["confusion"] for f in each], axis=0).tolist()
    right = scores[:, kept].argmax(axis=2) == labels[:, kept]
    result["interval"] = _interval(labels[:, kept], right, n_bootstrap, seed)
    return result


def _interval(labels: np.ndarray, right: np.ndarray, n_bootstrap: int, seed: int) -> list[float]:
    """95 % interval of the mean balanced accuracy over redraws of whole images."""
    rng = np.random.default_rng(seed)
    n = len(labels)
    kinds = [(labels == value).astype(np.float32) for value in (0, 1)]
    hits = [kind * right for kind in kinds]
    means = []
    for start in range(0, n_bootstrap, 100):
        redraws = min(100, n_bootstrap - start)
        # How often each image is drawn, (redraws, n): sums over images are matrix products.
        drawn = rng.multinomial(n, np.full(n, 1 / n), size=redraws).astype(np.float32)
        recalls = [
            (drawn @ hit) / np.maximum(drawn @ kind, 1)
            for hit, kind in zip(hits, kinds, strict=True)
        ]
        means.append(np.mean(recalls, axis=(0, 2)))
    return [float(v) for v in np.quantile(np.concatenate(means), [0.025, 0.975])]
