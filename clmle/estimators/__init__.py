"""Estimators that follow scikit-learn's conventions: embeddings, clusters, nearest clusters."""

from typing import TYPE_CHECKING

from clmle._lazy import load_lazily

if TYPE_CHECKING:
    from clmle.classifiers.sklearn import NearestClusterClassifier
    from clmle.estimators.balanced_kmeans import BalancedKMeans, BalancedSphericalKMeans
    from clmle.estimators.clmle_classifier import CLMLEClassifier

load_lazily(__name__)
