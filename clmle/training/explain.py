"""Explanation of predictions: scores, losses and nearest clusters of images."""

from dataclasses import dataclass, replace

import numpy as np

from clmle.metrics.classification import finite
from clmle.run_folder import RunFolder
from clmle.training.model import load_model


@dataclass(frozen=True)
class Explanation:
    """Features, scores, losses and nearest clusters of n images by the best round of a run.

    The last three are None for methods without clusters.
    """

    features: np.ndarray  # (n, d), unit rows
    scores: np.ndarray  # (n, C)
    predicted: np.ndarray  # (n,) classes
    loss: np.ndarray  # (n,) cross-entropy of the scores, taken as logits
    clusters: np.ndarray | None = None  # (n, N) numbers of the nearest clusters, nearest first
    similarity: np.ndarray | None = None  # (n, N) cosine f.mu to them
    cluster_classes: np.ndarray | None = None  # (K,) classes of all clusters


def explain(
    run: RunFolder, images: np.ndarray, labels: np.ndarray, *, n_clusters: int = 6
) -> Explanation:
    """Explain the predictions of images by a run: scores, losses and nearest clusters.

    For a run on several attributes the first attribute is explained.

    Parameters
    ----------
    run : RunFolder
        A run with at least one round done.
    images : (n, height, width, channels) uint8 array
        Images of the shape that the run was trained on.
    labels : (n,) int array
        True classes, for the losses.
    n_clusters : int, default 6
        Number of nearest clusters to return.

    Returns
    -------
    Explanation

    Raises
    ------
    InputError
        If the run has no weights yet, or was trained on images of another size.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from clmle import create_run, explain, preset_config
    >>> images = np.zeros((1, 16, 16, 1), dtype=np.uint8)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run = create_run(folder, preset_config("quick", "softmax", "digits").to_dict())
    ...     explain(run, images, np.array([0]))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    clmle.errors.InputError: Run ... has no weights yet; wait for its first round.
    """
    from scipy.special import logsumexp

    model = load_model(run)
    scores, features = model.scores(images), model.embed(images)
    if scores.ndim == 3:
        scores, features = scores[:, 0], features[:, 0]
    logits = finite(scores)
    loss = logsumexp(logits, axis=1) - logits[np.arange(len(labels)), labels]
    found = Explanation(features, scores, scores.argmax(axis=1), loss)
    stored = run.clusters()
    if stored is None or stored["centroids"].shape[1] != features.shape[1]:
        return found
    similarity = features @ stored["centroids"].T
    near = np.argsort(-similarity, axis=1, kind="stable")[:, :n_clusters]
    nearest = np.take_along_axis(similarity, near, axis=1)
    return replace(found, clusters=near, similarity=nearest, cluster_classes=stored["classes"])
