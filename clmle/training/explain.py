"""Why images were judged as they were: scores, losses, and the clusters they lie among."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clmle.run_folder import RunFolder
from clmle.training.model import load_model


@dataclass(frozen=True)
class Explanation:
    """What a run's best round says of n images.

    ``features`` (n, d) unit rows; ``scores`` (n, C) and ``predicted`` (n,); ``loss`` (n,), the
    cross-entropy of the scores taken as logits; ``clusters`` (n, N) numbers of the nearest
    clusters, nearest first, ``similarity`` (n, N) f.mu to them and ``cluster_classes`` (K,) of all
    clusters; these three are None where the method has no clusters.
    """

    features: np.ndarray
    scores: np.ndarray
    predicted: np.ndarray
    loss: np.ndarray
    clusters: np.ndarray | None
    similarity: np.ndarray | None
    cluster_classes: np.ndarray | None


def explain(
    run: RunFolder, images: np.ndarray, labels: np.ndarray, *, n_clusters: int = 6
) -> Explanation:
    """Judge ``images`` (n, H, W, C) of classes ``labels`` (n,) by a run's best round.

    Of many attributes the first is judged. ``n_clusters``: how many nearest clusters to name.

    Raises
    ------
    InputError
        The run has no weights yet, or learned from images of another size.
    """
    from scipy.special import logsumexp

    from clmle.metrics.classification import finite

    model = load_model(run)
    scores, features = model.scores(images), model.embed(images)
    if scores.ndim == 3:
        scores, features = scores[:, 0], features[:, 0]
    logits = finite(scores)
    loss = logsumexp(logits, axis=1) - logits[np.arange(len(labels)), labels]
    stored = run.clusters()
    if stored is None or stored["centroids"].shape[1] != features.shape[1]:
        return Explanation(features, scores, scores.argmax(axis=1), loss, None, None, None)
    similarity = features @ stored["centroids"].T
    near = np.argsort(-similarity, axis=1, kind="stable")[:, :n_clusters]
    return Explanation(
        features,
        scores,
        scores.argmax(axis=1),
        loss,
        near,
        np.take_along_axis(similarity, near, axis=1),
        stored["classes"],
    )
