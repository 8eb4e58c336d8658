"""Noisy softmax: noise lowers the logit of the true class against early saturation (Chen 2017)."""

from torch import Tensor


def noisy_logits(
    features: Tensor, weights: Tensor, labels: Tensor, noise: Tensor, alpha: float = 0.1
) -> Tensor:
    """Logits f.W with annealed noise on the logit of the true class.

    The logit of the true class y is f.W_y - alpha |W_y| |f| (1 - cos theta_y) |noise|.

    Parameters
    ----------
    features : (B, d) float tensor
    weights : (C, d) float tensor
        Class weights W.
    labels : (B,) int64 tensor
    noise : (B,) float tensor
        Draws of a standard normal distribution.
    alpha : float, default 0.1
        Strength of the noise.

    Returns
    -------
    (B, C) float tensor

    References
    ----------
    B. Chen, W. Deng, J. Du, "Noisy Softmax: Improving the Generalization Ability of DCNN via
    Postponing the Early Softmax Saturation", CVPR 2017, Eq. 5.

    Examples
    --------
    >>> import torch
    >>> noisy_logits(torch.eye(2), torch.eye(2), torch.tensor([1, 1]), torch.ones(2), alpha=0.5)
    tensor([[ 1.0000, -0.5000],
            [ 0.0000,  1.0000]])
    """
    logits = features @ weights.T
    own = logits.gather(1, labels[:, None]).squeeze(1)
    length = features.norm(dim=1) * weights.norm(dim=1)[labels]
    cut = alpha * (length - own) * noise.abs()
    return logits.scatter(1, labels[:, None], (own - cut)[:, None])
