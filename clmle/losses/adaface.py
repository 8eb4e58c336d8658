"""AdaFace: margins that follow the length of a feature, a proxy of image quality (Kim 2022)."""

import torch
import torch.nn.functional as F
from torch import Tensor


def adaface_logits(
    features: Tensor,
    weights: Tensor,
    labels: Tensor,
    norm_mean: float,
    norm_std: float,
    *,
    margin: float = 0.4,
    h: float = 0.333,
    scale: float = 64.0,
) -> Tensor:
    """AdaFace logits: scale cos(theta + g_angle) - g_add for the true class.

    The other classes have scale cos(theta). g_angle = -margin q and g_add = margin q + margin,
    where q = clip((|f| - mean) h / std, -1, 1) has no gradient.

    Parameters
    ----------
    features : (B, d) float tensor
        Features f, not normalized.
    weights : (C, d) float tensor
        Class weights.
    labels : (B,) int64 tensor
    norm_mean, norm_std : float
        Running mean and standard deviation of the feature lengths.
    margin : float, default 0.4
        Margin m of the angle in radians and of the cosine.
    h : float, default 0.333
        Concentration of the normalized feature lengths.
    scale : float, default 64.0
        Factor s of the cosines.

    Returns
    -------
    (B, C) float tensor

    References
    ----------
    M. Kim, A. K. Jain, X. Liu, "AdaFace: Quality Adaptive Margin for Face Recognition", CVPR 2022,
    Eqs. 13 to 16.

    Examples
    --------
    >>> logits = adaface_logits(torch.eye(2), torch.eye(2), torch.tensor([0, 1]), 1.0, 0.1, scale=1)
    >>> logits.round(decimals=2)
    tensor([[0.6000, 0.0000],
            [0.0000, 0.6000]])
    """
    cosine = F.normalize(features, dim=1) @ F.normalize(weights, dim=1).T
    quality = (features.detach().norm(dim=1).clamp(0.001, 100) - norm_mean) / (norm_std + 1e-3)
    quality = (quality * h).clamp(-1, 1)
    own = cosine.gather(1, labels[:, None]).squeeze(1).clamp(-1 + 1e-4, 1 - 1e-4)
    angle = (own.acos() - margin * quality).clamp(1e-4, torch.pi - 1e-4)
    moved = angle.cos() - (margin * quality + margin)
    return scale * cosine.scatter(1, labels[:, None], moved[:, None])
