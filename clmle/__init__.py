"""clmle: Cluster-based Large Margin Local Embedding, a laboratory for imbalanced classes.

Names load where they are first used, so that ``clmle --help`` does not wait for PyTorch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from clmle.classifiers.nearest_cluster import nearest_cluster_scores, nearest_cluster_terms
    from clmle.classifiers.sklearn import NearestClusterClassifier
    from clmle.clustering import BalancedClusters, balanced_spherical_kmeans
    from clmle.errors import InputError
    from clmle.losses.class_weights import inverse_frequency_weights
    from clmle.losses.clmle import CLMLELoss, clmle_loss, cluster_loss
    from clmle.margins import MarginBounds, margin_bounds, margin_grid

__version__ = "0.1.0"

_HOMES = {
    "BalancedClusters": "clustering",
    "CLMLELoss": "losses.clmle",
    "InputError": "errors",
    "MarginBounds": "margins",
    "NearestClusterClassifier": "classifiers.sklearn",
    "balanced_spherical_kmeans": "clustering",
    "clmle_loss": "losses.clmle",
    "cluster_loss": "losses.clmle",
    "inverse_frequency_weights": "losses.class_weights",
    "margin_bounds": "margins",
    "margin_grid": "margins",
    "nearest_cluster_scores": "classifiers.nearest_cluster",
    "nearest_cluster_terms": "classifiers.nearest_cluster",
}

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


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        value = getattr(import_module(f"clmle.{_HOMES[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'clmle' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
