"""AdaFace: margins that follow the length of a feature, a stand-in for image quality."""

from __future__ import annotations

import torch
import torch.nn.functional as F


def adaface_logits(
    features: torch.Tensor,
    weights: torch.Tensor,
    labels: torch.Tensor,
    norm_mean: float,
    norm_std: float,
    *,
    margin: float = 0.4,
    h: float = 0.333,
    scale: float = 64.0,
) -> torch.Tensor:
    """scale cos(theta + g_angle) - g_add at the true class, scale cos theta elsewhere.

    g_angle = -margin q, g_add = margin q + margin, ``q = clip((|f| - mean) h / std, -1, 1)``
    without gradient. features (B, d), weights (C, d), labels (B,). Kim, Jain, Liu: AdaFace: Quality
    Adaptive Margin for Face Recognition (CVPR 2022), Eqs. 13 to 16.
    """
    cosine = F.normalize(features, dim=1) @ F.normalize(weights, dim=1).T
    quality = (features.detach().norm(dim=1).clamp(0.001, 100) - norm_mean) / (norm_std + 1e-3)
    quality = (quality * h).clamp(-1, 1)
    own = cosine.gather(1, labels[:, None]).squeeze(1).clamp(-1 + 1e-4, 1 - 1e-4)
    angle = (own.acos() - margin * quality).clamp(1e-4, torch.pi - 1e-4)
    moved = angle.cos() - (margin * quality + margin)
    return scale * cosine.scatter(1, labels[:, None], moved[:, None])
