"""LMLE: quintuplets in four ordered distances, three hinges (Eqs. 4 and 5)."""

from __future__ import annotations

import torch


def lmle_loss(
    features: torch.Tensor,
    clusters: torch.Tensor,
    labels: torch.Tensor,
    margins: tuple[float, float, float] = (0.1, 0.1, 0.1),
    sample_weight: torch.Tensor | None = None,
) -> torch.Tensor:
    """Mean hinge loss of the quintuplet of every anchor that has all four partners in the batch.

    D(farthest of its cluster) + g1 < D(nearest of its class in another cluster), + g2 < D(farthest
    of its class), + g3 < D(nearest of another class); D is squared Euclidean distance of unit
    features (B, d); clusters (B,) and labels (B,). Huang, Li, Loy, Tang: Learning Deep
    Representation for Imbalanced Classification (CVPR 2016).
    """
    distance = (2 - 2 * features @ features.T).clamp(min=0)
    one_cluster = clusters[:, None] == clusters
    one_class = labels[:, None] == labels
    itself = torch.eye(len(features), dtype=torch.bool, device=features.device)
    groups = (one_cluster & ~itself, one_class & ~one_cluster, ~one_class)
    complete = torch.stack([g.any(dim=1) for g in groups]).all(dim=0)
    if not bool(complete.any()):
        return features.sum() * 0
    far_cluster = distance.masked_fill(~groups[0], -1).amax(dim=1)
    near_class = distance.masked_fill(~groups[1], 5).amin(dim=1)
    far_class = distance.masked_fill(~groups[1], -1).amax(dim=1)
    near_other = distance.masked_fill(~groups[2], 5).amin(dim=1)
    loss = (
        torch.relu(margins[0] + far_cluster - near_class)
        + torch.relu(margins[1] + near_class - far_class)
        + torch.relu(margins[2] + far_class - near_other)
    )
    if sample_weight is not None:
        loss = loss * sample_weight
    return loss[complete].mean()
