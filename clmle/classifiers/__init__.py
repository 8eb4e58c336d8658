"""Classifiers that a trained network uses: linear head, nearest clusters, k nearest neighbors."""

from typing import TYPE_CHECKING

from clmle._lazy import load_lazily

if TYPE_CHECKING:
    from clmle.classifiers._base import Classifier
    from clmle.classifiers.calibration import calibrate
    from clmle.classifiers.cluster_vote import ClusterVoteClassifier
    from clmle.classifiers.knn import KNNClassifier, PrototypeClassifier
    from clmle.classifiers.linear import HeadClassifier, LinearClassifier, OffsetClassifier
    from clmle.classifiers.nearest_cluster import (
        ClusterClassifier,
        nearest_cluster_scores,
        nearest_cluster_terms,
    )
    from clmle.classifiers.probabilities import ProbabilityMap, fit_probabilities
    from clmle.classifiers.sklearn import NearestClusterClassifier
    from clmle.classifiers.stacked import StackedClassifier

load_lazily(__name__)
