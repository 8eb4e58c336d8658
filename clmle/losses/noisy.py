"""Noisy softmax: logits of the true class annealed by noise against early saturation."""

from __future__ import annotations

import torch


def noisy_logits(
    features: torch.Tensor,
    weights: torch.Tensor,
    labels: torch.Tensor,
    noise: torch.Tensor,
    alpha: float = 0.1,
) -> torch.Tensor:
    """Logits f.W, ``f.W_y - alpha |W_y| |f| (1 - cos theta_y) |noise|`` at the true class.

    features (B, d), weights (C, d), labels (B,), noise (B,) standard normal. Chen, Deng, Du:
    Noisy Softmax: Improving the Generalization Ability of DCNN via Postponing the Early Softmax
    Saturation (CVPR 2017), Eq. 5.
    """
    logits = features @ weights.T
    own = logits.gather(1, labels[:, None]).squeeze(1)
    length = features.norm(dim=1) * weights.norm(dim=1)[labels]
    cut = alpha * (length - own) * noise.abs()
    return logits.scatter(1, labels[:, None], (own - cut)[:, None])
