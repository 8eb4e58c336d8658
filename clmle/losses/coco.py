"""Congenerous cosine: softmax over cosines to class centroids, with a derived scale."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F


def coco_scale(n_classes: int, lower_bound: float = 1e-4) -> float:
    """The scale at which the loss of perfectly placed features is ``lower_bound``.

    alpha = log((C - 1) / (e^bound - 1)) / 2: one's own centroid at cosine 1, the others at -1.
    """
    return 0.5 * math.log(max(n_classes - 1, 1) / math.expm1(lower_bound))


def coco_loss(
    features: torch.Tensor, labels: torch.Tensor, centroids: torch.Tensor, scale: float
) -> torch.Tensor:
    """Cross-entropy of scale f.c with f and c of unit length.

    features (B, d), labels (B,), centroids (C, d). Liu, Li, Wang: Rethinking Feature
    Discrimination and Polymerization for Large-scale Recognition (2017), second version.
    """
    cosine = F.normalize(features, dim=1) @ F.normalize(centroids, dim=1).T
    return F.cross_entropy(scale * cosine, labels)
