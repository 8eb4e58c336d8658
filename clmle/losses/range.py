"""Range loss: shrink the widest pairs of a class, part the two nearest classes (Zhang 2017)."""

from __future__ import annotations

import torch


def range_loss(
    features: torch.Tensor,
    labels: torch.Tensor,
    *,
    k: int = 2,
    margin: float = 1.0,
    intra_weight: float = 1.0,
    inter_weight: float = 1.0,
) -> torch.Tensor:
    """intra_weight sum_c (harmonic mean of the k largest squared distances) + inter_weight hinge.

    The hinge is [margin - ||center - center'||^2]_+ of the two nearest class centers of the
    batch. features (B, d), labels (B,); classes with fewer than two samples have no range.
    Zhang, Fang, Wen, Li, Qiao: Range Loss for Deep Face Recognition with Long-Tailed Training
    Data (ICCV 2017), Eqs. 3 to 7; its margin of 2e4 is for features of no fixed length.
    """
    total = features.sum() * 0
    centers = []
    for c in labels.unique():
        members = features[labels == c]
        centers.append(members.mean(dim=0))
        if len(members) < 2:
            continue
        first, second = torch.triu_indices(len(members), len(members), 1)
        squared = (members[first] - members[second]).square().sum(dim=1)
        widest = squared.topk(min(k, len(squared))).values
        total = total + intra_weight * len(widest) / (1 / widest.clamp(min=1e-12)).sum()
    if len(centers) > 1:
        stacked = torch.stack(centers)
        first, second = torch.triu_indices(len(centers), len(centers), 1)
        nearest = (stacked[first] - stacked[second]).square().sum(dim=1).min()
        total = total + inter_weight * torch.relu(margin - nearest)
    return total
