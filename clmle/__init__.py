"""clmle: a laboratory for learning from imbalanced classes.

The package implements CLMLE (cluster-based large margin local embedding, Huang, Li, Loy and Tang)
and the methods that it is compared with. Names load where they are first used, so that
``import clmle`` does not load PyTorch.
"""

from typing import TYPE_CHECKING

from clmle._lazy import load_lazily

if TYPE_CHECKING:
    from clmle import (
        data,
        figures,
        jobs,
        methods,
        metrics,
        paper,
        playground,
        projection,
        studies,
        training,
    )
    from clmle.classifiers.nearest_cluster import nearest_cluster_scores, nearest_cluster_terms
    from clmle.classifiers.sklearn import NearestClusterClassifier
    from clmle.cluster_index import ClusterIndex
    from clmle.clustering import BalancedClusters, balanced_spherical_kmeans
    from clmle.config import Config, DataConfig, TrainConfig
    from clmle.data.registry import dataset_names, load_dataset
    from clmle.errors import InputError
    from clmle.estimators.balanced_kmeans import BalancedKMeans, BalancedSphericalKMeans
    from clmle.estimators.clmle_classifier import CLMLEClassifier
    from clmle.files import runs_dir
    from clmle.losses.class_weights import inverse_frequency_weights
    from clmle.losses.clmle import clmle_loss, cluster_loss
    from clmle.losses.clmle_module import CLMLELoss
    from clmle.margins import MarginBounds, margin_bounds, margin_grid
    from clmle.methods._registry import get_method, method_names
    from clmle.presets import preset_config
    from clmle.projection import project_run
    from clmle.run_folder import RunFolder, create_run, list_runs, open_run
    from clmle.samplers.class_balanced_epochs import ClassBalancedSampler
    from clmle.samplers.cluster import ClusterSampler
    from clmle.samplers.cluster_batches import ClusterBatchSampler
    from clmle.samplers.hard_cluster import HardClusterSampler
    from clmle.studies.runner import run_study
    from clmle.training.deployed import export_model
    from clmle.training.explain import explain
    from clmle.training.model import Model, evaluate, load_model
    from clmle.training.predict import predict
    from clmle.training.trainer import train

__version__ = "0.3.0"

load_lazily(__name__)
