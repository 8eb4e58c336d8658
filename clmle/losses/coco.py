"""Congenerous cosine loss: softmax over cosines to class centroids (Liu 2017)."""

import math

import torch.nn.functional as F
from torch import Tensor


def coco_scale(n_classes: int, lower_bound: float = 1e-4) -> float:
    """The scale at which perfectly separated features (cosines 1, -1) have this loss."""
    return 0.5 * math.log(max(n_classes - 1, 1) / math.expm1(lower_bound))


def coco_loss(features: Tensor, labels: Tensor, centroids: Tensor, scale: float) -> Tensor:
    """Cross-entropy of scale f.c, where features f and centroids c have unit length.

    Parameters
    ----------
    features : (B, d) float tensor
    labels : (B,) int64 tensor
    centroids : (C, d) float tensor
    scale : float
        Factor of the cosines, above 0; see :func:`coco_scale`.

    Returns
    -------
    scalar tensor

    References
    ----------
    Y. Liu, H. Li, X. Wang, "Rethinking Feature Discrimination and Polymerization for Large-scale
    Recognition", NIPS Workshop 2017 (arXiv 1710.00870).

    Examples
    --------
    >>> import torch
    >>> round(float(coco_loss(torch.eye(2), torch.tensor([0, 1]), torch.eye(2), 10.0)), 6)
    4.5e-05
    """
    cosine = F.normalize(features, dim=1) @ F.normalize(centroids, dim=1).T
    return F.cross_entropy(scale * cosine, labels)
