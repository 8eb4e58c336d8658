"""Center loss and center invariant loss: distances to class centers (Wen 2016, Wu 2017)."""

import torch
from torch import Tensor


def center_loss(features: Tensor, labels: Tensor, centers: Tensor) -> Tensor:
    """Half the mean squared distance of features to the center of their class.

    Parameters
    ----------
    features : (B, d) float tensor
    labels : (B,) int64 tensor
    centers : (C, d) float tensor

    Returns
    -------
    scalar tensor

    References
    ----------
    Y. Wen, K. Zhang, Z. Li, Y. Qiao, "A Discriminative Feature Learning Approach for Deep Face
    Recognition", ECCV 2016, Eq. 2, divided by B.

    Examples
    --------
    >>> float(center_loss(torch.ones(2, 2), torch.tensor([0, 1]), torch.zeros(2, 2)))
    1.0
    """
    return 0.5 * (features - centers[labels]).square().sum(dim=1).mean()


@torch.no_grad()
def move_centers(centers: Tensor, features: Tensor, labels: Tensor, rate: float = 0.5) -> None:
    """Move centers (C, d), in place: c -= rate sum (c - f) / (1 + n), Eq. 4 of Wen et al. 2016."""
    sums = torch.zeros_like(centers).index_add_(0, labels, centers[labels] - features)
    # Not torch.bincount: on a GPU the host would wait for the largest label.
    counts = centers.new_zeros(len(centers)).index_add_(0, labels, centers.new_ones(len(labels)))
    centers -= rate * sums / (1 + counts)[:, None]


def center_invariant_loss(labels: Tensor, centers: Tensor) -> Tensor:
    """Penalty on centers of unequal length: mean of (|c_y|^2 - mean_k |c_k|^2)^2 / 4.

    Parameters
    ----------
    labels : (B,) int64 tensor
    centers : (C, d) float tensor
        Class centers with gradient.

    Returns
    -------
    scalar tensor

    References
    ----------
    Y. Wu, H. Liu, J. Li, Y. Fu, "Deep Face Recognition with Center Invariant Loss", ACM Multimedia
    Thematic Workshops 2017.

    Examples
    --------
    >>> float(center_invariant_loss(torch.tensor([0, 1]), torch.tensor([[1.0], [3.0]])))
    4.0
    """
    norms = centers.square().sum(dim=1)
    return 0.25 * (norms[labels] - norms.mean()).square().mean()
