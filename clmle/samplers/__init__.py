"""Samplers: the images of each training batch; samplers of PyTorch's DataLoader."""

from typing import TYPE_CHECKING

from clmle._lazy import load_lazily

if TYPE_CHECKING:
    from clmle.samplers.class_balanced import balanced_indices
    from clmle.samplers.class_balanced_epochs import ClassBalancedSampler
    from clmle.samplers.cluster import ClusterBatch, ClusterSampler
    from clmle.samplers.cluster_batches import ClusterBatchSampler
    from clmle.samplers.hard_cluster import HardClusterSampler
    from clmle.samplers.multilabel_weights import multilabel_weights
    from clmle.samplers.proportions import apportion, class_proportions

load_lazily(__name__)
