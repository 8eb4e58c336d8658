"""Magnet loss: clusters against clusters of other classes, as in Eq. 9 (Rippel 2016)."""

import torch
import torch.nn.functional as F
from torch import Tensor


def magnet_loss(
    features: Tensor, clusters: Tensor, cluster_classes: Tensor, alpha: float = 1.0
) -> tuple[Tensor, Tensor]:
    """Magnet loss of every sample.

    With mu_m the mean of the batch's samples in cluster m, a sample f of cluster m has the loss::

        [|f - mu_m|^2 / (2 s^2) + alpha + log sum_k exp(-|f - mu_k|^2 / (2 s^2))]_+

    where k are the clusters of other classes and s^2 is the mean squared distance of samples to
    their mean, times B / (B - 1).

    Parameters
    ----------
    features : (B, d) float tensor
    clusters : (B,) int64 tensor
        Cluster of each sample, as an index in [0, M).
    cluster_classes : (M,) int64 tensor
        Class of each cluster.
    alpha : float, default 1.0
        Gap between a cluster and those of other classes, in units of the variance.

    Returns
    -------
    losses : (B,) float tensor
        0 where there is no cluster of another class.
    variance : scalar tensor
        s^2, without gradient.

    References
    ----------
    O. Rippel, M. Paluri, P. Dollar, L. Bourdev, "Metric Learning with Adaptive Density
    Discrimination", ICLR 2016, Eq. 4.

    Examples
    --------
    >>> f = torch.tensor([[0.0], [2.0], [2.0], [4.0]])
    >>> losses, variance = magnet_loss(f, torch.tensor([0, 0, 1, 1]), torch.tensor([0, 1]))
    >>> losses.tolist(), round(float(variance), 4)
    ([0.0, 1.0, 1.0, 0.0], 1.3333)
    """
    members = F.one_hot(clusters, len(cluster_classes)).to(features.dtype)
    means = (members.T @ features) / members.sum(dim=0).clamp(min=1)[:, None]
    squared = torch.cdist(features, means).square()
    own = squared.gather(1, clusters[:, None]).squeeze(1)
    variance = own.sum() / max(1, len(own) - 1) + 1e-12
    other = cluster_classes[clusters][:, None] != cluster_classes
    low = torch.finfo(features.dtype).min / 2
    against = torch.logsumexp((-squared / (2 * variance)).masked_fill(~other, low), dim=1)
    loss = torch.relu(own / (2 * variance) + alpha + against)
    return torch.where(other.any(dim=1), loss, torch.zeros_like(loss)), variance.detach()
