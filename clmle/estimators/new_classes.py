"""New classes for a trained embedding: their clusters, and class offsets for all (section 4)."""

from dataclasses import replace

import numpy as np

from clmle.classifiers.calibration import balanced_calibration
from clmle.classifiers.nearest_cluster import ClusterClassifier
from clmle.classifiers.stacked import StackedClassifier, bounded
from clmle.cluster_index import ClusterIndex
from clmle.estimators.training import Embedding


def with_new_classes(
    embedding: Embedding,
    trained: np.ndarray,
    classes: np.ndarray,
    unit: np.ndarray,
    y: np.ndarray,
    cluster_size: int,
) -> StackedClassifier:
    """The nearest-cluster classifier of the ``trained`` classes and of new ones.

    ``classes`` (C,) are all classes in ascending order, ``unit`` (n, d) the embedding of the
    samples of the new classes and ``y`` (n,) their classes.
    """
    stacked = embedding.classifier
    assert isinstance(stacked, StackedClassifier)
    assert isinstance(stacked.clusters, ClusterClassifier)
    place = np.searchsorted(classes, trained)
    base = replace(
        stacked.clusters, classes=place[stacked.clusters.classes], n_classes=len(classes)
    )
    labels = np.searchsorted(classes, y)
    found = _with_clusters(base, unit, labels, cluster_size)
    # Clusters that contain a sample are nearer to it than to other samples of its class.
    half = _halves(labels)
    z, _, own = embedding.validation
    scores, known = [bounded(found, z, z)], [place[own]]
    for part in (half, ~half):
        fitted = _with_clusters(base, unit[~part], labels[~part], cluster_size)
        scored = part & np.isin(labels, labels[~part])
        scores.append(bounded(fitted, unit[scored], unit[scored]))
        known.append(labels[scored])
    weights, offset = balanced_calibration([np.concatenate(scores)], np.concatenate(known))
    return StackedClassifier(found, float(weights[0]) or 1.0, 0.0, offset)


def _with_clusters(
    base: ClusterClassifier, unit: np.ndarray, labels: np.ndarray, cluster_size: int
) -> ClusterClassifier:
    """``base`` with clusters of further classes ``labels`` (n,) of rows ``unit`` (n, d)."""
    if not len(labels):
        return base
    present, own = np.unique(labels, return_inverse=True)
    index = ClusterIndex.build(unit, own, cluster_size)
    return replace(
        base,
        centroids=np.concatenate([base.centroids, index.centroids]),
        classes=np.concatenate([base.classes, present[index.classes]]),
    )


def _halves(labels: np.ndarray) -> np.ndarray:
    """Every second sample of each class, (n,) bool."""
    half = np.zeros(len(labels), dtype=bool)
    for c in np.unique(labels):
        half[np.flatnonzero(labels == c)[::2]] = True
    return half
