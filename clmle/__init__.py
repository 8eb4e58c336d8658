"""clmle: Cluster-based Large Margin Local Embedding, a laboratory for imbalanced classes."""

from clmle.classifier import NearestClusterClassifier
from clmle.clustering import BalancedClusters, balanced_spherical_kmeans
from clmle.errors import InputError
from clmle.losses.clmle import CLMLELoss, clmle_loss, cluster_loss
from clmle.losses.weights import inverse_frequency_weights
from clmle.margins import MarginBounds, margin_bounds, margin_grid
from clmle.nearest import nearest_cluster_scores, nearest_cluster_terms

__version__ = "0.1.0"

__all__ = [
    "BalancedClusters",
    "CLMLELoss",
    "InputError",
    "MarginBounds",
    "NearestClusterClassifier",
    "balanced_spherical_kmeans",
    "clmle_loss",
    "cluster_loss",
    "inverse_frequency_weights",
    "margin_bounds",
    "margin_grid",
    "nearest_cluster_scores",
    "nearest_cluster_terms",
]
