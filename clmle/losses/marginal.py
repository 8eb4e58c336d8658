"""Marginal loss: every pair of a batch on the right side of one distance (Deng 2017)."""

import torch
from torch import Tensor


def marginal_loss(
    features: Tensor, labels: Tensor, threshold: float = 1.2, margin: float = 0.3
) -> Tensor:
    """Mean over pairs i != j of [margin - y_ij (threshold - |f_i - f_j|^2)]_+.

    y_ij is 1 for samples of one class and -1 for samples of two classes.

    Parameters
    ----------
    features : (B, d) float tensor
        Features of unit length.
    labels : (B,) int64 tensor
    threshold : float, default 1.2
        Squared distance that separates pairs of one class from pairs of two classes.
    margin : float, default 0.3
        Margin around the threshold.

    Returns
    -------
    scalar tensor
        0 for a batch of one sample.

    References
    ----------
    J. Deng, Y. Zhou, S. Zafeiriou, "Marginal Loss for Deep Face Recognition", CVPR Workshops 2017,
    Eq. 4.

    Examples
    --------
    >>> round(float(marginal_loss(torch.eye(2), torch.tensor([0, 0]))), 4)
    1.1
    """
    n = len(features)
    if n < 2:
        return features.sum() * 0
    distance = (2 - 2 * features @ features.T).clamp(min=0)
    sign = torch.where(labels[:, None] == labels, 1.0, -1.0).to(features)
    loss = torch.relu(margin - sign * (threshold - distance))
    return (loss.sum() - loss.diagonal().sum()) / (n * (n - 1))
