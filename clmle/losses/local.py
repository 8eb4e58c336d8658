"""Eq. 9 against an index of centroids: every sample among the clusters nearest to it."""

from __future__ import annotations

import math

import torch


def local_margin_loss(
    features: torch.Tensor,
    labels: torch.Tensor,
    centroids: torch.Tensor,
    centroid_classes: torch.Tensor,
    between_margin: float,
    *,
    scale: float = 8.0,
    n_others: int = 6,
    own: torch.Tensor | None = None,
    soft: bool = False,
) -> torch.Tensor:
    """[s a1 - s f.mu_own + log mean_k exp(s f.mu_k)]_+ with k the nearest of other classes, (B,).

    Parameters
    ----------
    features : (B, d) unit rows
    labels : (B,) classes
    centroids : (K, d) unit rows, without gradient
    centroid_classes : (K,) their classes; every class of ``labels`` and another one occur
    between_margin : float
        a1, a difference of cosines.
    n_others : int
        How many clusters of other classes are retrieved for every sample.
    own : (B,) numbers of one's own clusters, optional
        mu_own is that cluster (as Eq. 9 has it), else the nearest cluster of one's class: what
        Eq. 10 asks for, and no split of a class into clusters is held on to.
    soft : bool
        log(1 + exp x) in place of the hinge [x]_+.
    """
    similarity = features @ centroids.to(features.dtype).T
    same = labels[:, None] == centroid_classes
    low = torch.finfo(similarity.dtype).min / 2
    if own is None:
        mine = similarity.masked_fill(~same, low).amax(dim=1)
    else:
        mine = similarity.gather(1, own[:, None]).squeeze(1)
    k = min(n_others, int((~same).sum(dim=1).min()))
    others = similarity.masked_fill(same, low).topk(k, dim=1).values
    against = torch.logsumexp(scale * others, dim=1) - math.log(k)
    x = scale * (between_margin - mine) + against
    return torch.nn.functional.softplus(x) if soft else torch.relu(x)
