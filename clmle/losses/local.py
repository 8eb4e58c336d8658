"""Eq. 9 against an index of centroids: every sample among the clusters nearest to it."""

from __future__ import annotations

import torch


def local_margin_loss(
    features: torch.Tensor,
    labels: torch.Tensor,
    centroids: torch.Tensor,
    centroid_classes: torch.Tensor,
    between_margin: float | torch.Tensor,
    within_margin: float | torch.Tensor = 0.0,
    *,
    scale: float = 8.0,
    denominator: str = "mean",
    n_others: int = 6,
    own: torch.Tensor | None = None,
    within_weight: float = 0.0,
) -> torch.Tensor:
    """The two hinges of Eq. 9, each over the clusters nearest to the sample itself, (B,).

    With mu_own the nearest cluster of the sample's class, a sample f loses

        [s a1 - s f.mu_own + log mean_k exp(s f.mu_k)]_+

    where k runs over the ``n_others`` nearest clusters of other classes, and ``within_weight``
    times the same with a2 over the next nearest clusters of its own class. (``denominator="sum"``
    has the sum in place of the mean.) That is what the rule of Eq. 10 will ask for; batches need
    not consist of one neighbourhood, and no split of a class into clusters is held on to.

    Parameters
    ----------
    features : (B, d) unit rows
    labels : (B,) classes
    centroids : (K, d) unit rows, without gradient
    centroid_classes : (K,) their classes, below 0 for one that is none; every class of
        ``labels`` and another one occur
    between_margin : float or (B,) tensor
        a1, a difference of cosines.
    within_margin : float or (C,) tensor
        a2, one for all or one for each class.
    n_others : int
        How many clusters are retrieved for every sample, of either kind.
    own : (B,) numbers of one's own clusters, optional
        mu_own is that cluster (as Eq. 9 has it) in place of the nearest of one's class.

    All tensors may have one more dimension in front, (A, ...), for A tasks at once.
    """
    similarity = features @ centroids.to(features.dtype).transpose(-1, -2)
    same = labels[..., None] == centroid_classes[..., None, :]
    low = torch.finfo(similarity.dtype).min / 2
    if own is None:
        own = similarity.detach().masked_fill(~same, low).argmax(dim=-1)
    mine = similarity.gather(-1, own[..., None]).squeeze(-1)
    others = similarity.masked_fill(same | (centroid_classes < 0)[..., None, :], low)
    loss = torch.relu(
        scale * (between_margin - mine) + _spread(others, scale, n_others, low, denominator)
    )
    if within_weight == 0:
        return loss
    a2 = torch.as_tensor(within_margin, dtype=features.dtype, device=features.device)
    if a2.dim():
        a2 = a2.expand(*labels.shape[:-1], -1).gather(-1, labels)
    itself = torch.arange(centroids.shape[-2], device=own.device) == own[..., None]
    siblings = similarity.masked_fill(~same | itself, low)
    within = torch.relu(scale * (a2 - mine) + _spread(siblings, scale, n_others, low, denominator))
    alone = (same & ~itself).sum(dim=-1) == 0
    return loss + within_weight * torch.where(alone, torch.zeros_like(within), within)


def _spread(
    similarity: torch.Tensor, scale: float, n: int, low: float, denominator: str
) -> torch.Tensor:
    """log sum or mean of exp(s f.mu) over the n largest of a row, entries at ``low`` left out."""
    nearest = similarity.topk(min(n, similarity.shape[-1]), dim=-1).values
    present = nearest > low / 2
    exponent = torch.where(present, scale * nearest, low)
    total = torch.logsumexp(exponent, dim=-1)
    if denominator == "sum":
        return total
    return total - present.sum(dim=-1).clamp(min=1).to(total.dtype).log()
