"""Batches of one cluster neighborhood as a batch sampler of PyTorch's DataLoader."""

from dataclasses import dataclass

import numpy as np

from clmle.samplers.cluster import ClusterSampler
from clmle.samplers.epochs import EpochBatches


@dataclass(eq=False)
class ClusterBatchSampler(EpochBatches, ClusterSampler):
    """Batches of a query cluster and its nearest clusters, for a DataLoader.

    A ``batch_sampler`` of :class:`torch.utils.data.DataLoader` that draws as
    :class:`ClusterSampler` does. Batch ``i`` of an epoch depends
    on ``seed``, the epoch, ``i`` and the index at the time of drawing. Where all processes hold
    equal indices (:class:`clmle.CLMLELoss` keeps them equal), their batches are disjoint parts of
    one order. A loader with workers draws ahead: its batches then follow losses that are older by
    ``prefetch_factor`` times the number of workers.

    Parameters
    ----------
    index : ClusterIndex
    clusters_per_batch, samples_per_cluster, same_class_clusters, query
        As in :class:`ClusterSampler`.
    n_batches : int, optional
        Batches of all processes in an epoch; by default as many as hold the training set once.
    seed : int
        Seed of the order, the same in all processes.
    num_replicas, rank : int, optional
        Number of processes and the number of this one; by default those of ``torch.distributed``.
        Process ``rank`` draws batches ``rank``, ``rank + num_replicas`` and so on.
    drop_last : bool
        Where the batches cannot be divided evenly: leave out the last ones if true, else repeat the
        first ones, as PyTorch's DistributedSampler does.

    References
    ----------
    Section 3.3 of the paper.

    Examples
    --------
    >>> from torch.utils.data import DataLoader
    >>> from clmle import ClusterIndex
    >>> labels = np.repeat([0, 1], 60)
    >>> features = np.random.default_rng(0).normal(size=(120, 4)).astype(np.float32)
    >>> index = ClusterIndex.build(features, labels, cluster_size=20)
    >>> sampler = ClusterBatchSampler(index, 4, 10, 2)
    >>> [batch.bincount().tolist() for batch in DataLoader(list(labels), batch_sampler=sampler)]
    [[20, 20], [20, 20], [20, 20]]
    >>> sampler.state_dict()
    {'epoch': 1, 'yielded': 0}
    """

    def __post_init__(self) -> None:
        EpochBatches.__post_init__(self)
        ClusterSampler.__post_init__(self)

    def batches_of_one_pass(self) -> int:
        """Batches that together have as many samples as the training set."""
        return -(-len(self.index.labels) // (self.clusters_per_batch * self.samples_per_cluster))

    def draw_indices(self, generator: np.random.Generator) -> np.ndarray:
        """Training samples of one batch, (B,)."""
        return self.draw(generator).indices
