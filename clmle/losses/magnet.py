"""Magnet loss, the ancestor of Eq. 9: clusters against the nearest clusters of other classes."""

from __future__ import annotations

import torch
import torch.nn.functional as F


def magnet_loss(
    features: torch.Tensor,
    clusters: torch.Tensor,
    cluster_classes: torch.Tensor,
    alpha: float = 1.0,
) -> tuple[torch.Tensor, torch.Tensor]:
    """``[|f - mu_m|^2 / (2 s^2) + alpha + log sum_k exp(-|f - mu_k|^2 / (2 s^2))]_+`` a sample.

    mu are the means of the batch's clusters, k runs over clusters of other classes, s^2 is the
    mean squared distance to one's own mean times B / (B - 1). features (B, d), clusters (B,)
    slots in [0, M), cluster_classes (M,). Returns the losses (B,) and s^2.
    Rippel, Paluri, Dollar, Bourdev: Metric Learning with Adaptive Density Discrimination
    (ICLR 2016), Eq. 4.
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
