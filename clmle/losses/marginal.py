"""Marginal loss: every pair of a batch on the right side of one distance (Deng 2017)."""

from __future__ import annotations

import torch


def marginal_loss(
    features: torch.Tensor, labels: torch.Tensor, threshold: float = 1.2, margin: float = 0.3
) -> torch.Tensor:
    """Mean over ordered pairs i != j of [margin - y_ij (threshold - ||f_i - f_j||^2)]_+.

    features (B, d) unit rows, labels (B,); y_ij is 1 for one class, else -1. 0 for one sample.
    Deng, Zhou, Zafeiriou: Marginal Loss for Deep Face Recognition (CVPR Workshops 2017), Eq. 4.
    """
    n = len(features)
    if n < 2:
        return features.sum() * 0
    distance = (2 - 2 * features @ features.T).clamp(min=0)
    sign = torch.where(labels[:, None] == labels, 1.0, -1.0).to(features)
    loss = torch.relu(margin - sign * (threshold - distance))
    return (loss.sum() - loss.diagonal().sum()) / (n * (n - 1))
