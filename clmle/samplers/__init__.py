"""Samplers: the images of each training batch."""

from typing import TYPE_CHECKING

from clmle._lazy import load_lazily

if TYPE_CHECKING:
    from clmle.samplers.class_balanced import balanced_indices
    from clmle.samplers.cluster import ClusterBatch, ClusterSampler
    from clmle.samplers.hard_cluster import HardClusterSampler
    from clmle.samplers.proportions import apportion, class_proportions

load_lazily(__name__)
