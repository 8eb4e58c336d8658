"""Center loss and its two relatives: distances to class centers (Wen 2016; Wu 2017)."""

from __future__ import annotations

import torch


def center_loss(
    features: torch.Tensor, labels: torch.Tensor, centers: torch.Tensor
) -> torch.Tensor:
    """Mean of half the squared distance to one's own class center.

    features (B, d), labels (B,), centers (C, d). Wen, Zhang, Li, Qiao: A Discriminative Feature
    Learning Approach for Deep Face Recognition (ECCV 2016), Eq. 2, divided by B.
    """
    return 0.5 * (features - centers[labels]).square().sum(dim=1).mean()


@torch.no_grad()
def move_centers(
    centers: torch.Tensor, features: torch.Tensor, labels: torch.Tensor, rate: float = 0.5
) -> None:
    """Move centers (C, d), in place, towards the batch: c -= rate sum (c - f) / (1 + n).

    Eq. 4 of the same paper; ``rate`` is its alpha, n the samples of the class in the batch.
    """
    sums = torch.zeros_like(centers).index_add_(0, labels, centers[labels] - features)
    counts = torch.bincount(labels, minlength=len(centers)).to(centers.dtype)
    centers -= rate * sums / (1 + counts)[:, None]


def center_invariant_loss(labels: torch.Tensor, centers: torch.Tensor) -> torch.Tensor:
    """Mean over samples of (||c_y||^2 - mean_k ||c_k||^2)^2 / 4: centers of equal length.

    labels (B,), centers (C, d) with gradient. Wu, Liu, Wang, Tao: Deep Face Recognition with
    Center Invariant Loss (ACM MM Thematic Workshops 2017).
    """
    norms = centers.square().sum(dim=1)
    return 0.25 * (norms[labels] - norms.mean()).square().mean()
