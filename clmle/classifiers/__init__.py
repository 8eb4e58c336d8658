"""Classifiers that a trained network uses: linear head, nearest clusters, k nearest neighbors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clmle._lazy import load_lazily

if TYPE_CHECKING:
    from clmle.classifiers.base import (
        Classifier,
        HeadClassifier,
        KNNClassifier,
        LinearClassifier,
        OffsetClassifier,
        PrototypeClassifier,
    )
    from clmle.classifiers.clusters import (
        ClusterClassifier,
        ClusterVoteClassifier,
        StackedClassifier,
    )
    from clmle.classifiers.nearest_cluster import nearest_cluster_scores, nearest_cluster_terms
    from clmle.classifiers.sklearn import NearestClusterClassifier

__all__ = [
    "Classifier",
    "ClusterClassifier",
    "ClusterVoteClassifier",
    "HeadClassifier",
    "KNNClassifier",
    "LinearClassifier",
    "NearestClusterClassifier",
    "OffsetClassifier",
    "PrototypeClassifier",
    "StackedClassifier",
    "nearest_cluster_scores",
    "nearest_cluster_terms",
]

load_lazily(__name__)
