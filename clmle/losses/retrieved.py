"""Eq. 9 against an index of centroids: every sample among the clusters nearest to it."""

from __future__ import annotations

from typing import NamedTuple

import torch

AT_ONCE = 1 << 16  # clusters compared with a batch at a time


def retrieved_margin_loss(
    features: torch.Tensor,
    labels: torch.Tensor,
    centroids: torch.Tensor,
    centroid_classes: torch.Tensor,
    between_margin: float | torch.Tensor,
    within_margin: float | torch.Tensor = 0.0,
    *,
    scale: float = 8.0,
    denominator: str = "mean",
    n_negative_clusters: int = 6,
    own: torch.Tensor | None = None,
    within_weight: float = 0.0,
) -> torch.Tensor:
    """The two hinges of Eq. 9, each over the clusters nearest to the sample itself, (B,).

    With mu_own the nearest cluster of the sample's class, a sample f loses

        [s a1 - s f.mu_own + log mean_k exp(s f.mu_k)]_+

    where k runs over the ``n_negative_clusters`` nearest clusters of other classes, and ``within_weight``
    times the same with a2 over the next nearest clusters of its own class. (``denominator="sum"``
    has the sum in place of the mean.) That is what the rule of Eq. 10 will ask for; batches need
    not consist of one neighborhood, and no split of a class into clusters is held on to.

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
    n_negative_clusters : int
        How many clusters are retrieved for every sample, of either kind.
    own : (B,) numbers of one's own clusters, optional
        mu_own is that cluster (as Eq. 9 has it) in place of the nearest of one's class.

    All tensors may have one more dimension in front, (A, ...), for A tasks at once.
    """
    a2 = torch.as_tensor(within_margin, dtype=features.dtype, device=features.device)
    found = _retrieve(
        features, labels, centroids, centroid_classes, n_negative_clusters, own, within_weight
    )
    mine = _similarity(features, centroids, found.own[..., None]).squeeze(-1)
    others = _similarity(features, centroids, found.others)
    loss = torch.relu(
        scale * (between_margin - mine) + _spread(others, found.is_other, scale, denominator)
    )
    if within_weight == 0:
        return loss
    if a2.dim():
        a2 = a2.expand(*labels.shape[:-1], -1).gather(-1, labels)
    siblings = _similarity(features, centroids, found.siblings)
    within = torch.relu(
        scale * (a2 - mine) + _spread(siblings, found.is_sibling, scale, denominator)
    )
    alone = ~found.is_sibling.any(dim=-1)
    return loss + within_weight * torch.where(alone, torch.zeros_like(within), within)


class _Found(NamedTuple):
    """Numbers of clusters: one's own (B,), the nearest others and siblings (B, n), which count."""

    own: torch.Tensor
    others: torch.Tensor
    is_other: torch.Tensor
    siblings: torch.Tensor
    is_sibling: torch.Tensor


@torch.no_grad()
def _retrieve(
    features: torch.Tensor,
    labels: torch.Tensor,
    centroids: torch.Tensor,
    classes: torch.Tensor,
    n: int,
    own: torch.Tensor | None,
    siblings: float,
) -> _Found:
    """The clusters that a sample is compared with, searched some thousands at a time.

    Only they get a gradient, so that hundreds of thousands of clusters cost neither its time nor
    its memory.
    """
    low = torch.finfo(features.dtype).min / 2
    n_own = n + 1 if siblings else 1
    same: list[list[torch.Tensor]] = [[], []]  # similarities, numbers
    other: list[list[torch.Tensor]] = [[], []]
    for start in range(0, centroids.shape[-2], AT_ONCE):
        part = slice(start, start + AT_ONCE)
        similarity = features @ centroids[..., part, :].to(features.dtype).transpose(-1, -2)
        mine = labels[..., None] == classes[..., None, part]
        _keep_best(same, similarity.masked_fill(~mine, low), n_own, start)
        # In place: the matrix is the largest thing here.
        own_or_none = mine.logical_or_(classes[..., None, part] < 0)
        _keep_best(other, similarity.masked_fill_(own_or_none, low), n, start)
    others, is_other = _merged(other, n, low)
    family, is_family = _merged(same, n_own, low)
    if own is None:
        own = family[..., 0]
    if siblings == 0:
        return _Found(own, others, is_other, others, is_other)
    counts = is_family & (family != own[..., None])
    # One's own cluster is one of them, or too far away for that: n others come first either way.
    first = (~counts).to(torch.uint8).argsort(dim=-1, stable=True)[..., :n]
    return _Found(own, others, is_other, family.gather(-1, first), counts.gather(-1, first))


def _keep_best(best: list[list[torch.Tensor]], values: torch.Tensor, n: int, start: int) -> None:
    """Add the ``n`` largest of every row and their numbers, which count from ``start``."""
    if n == 1:  # quicker than topk
        value, place = values.max(dim=-1, keepdim=True)
    else:
        value, place = values.topk(min(n, values.shape[-1]), dim=-1)
    best[0].append(value)
    best[1].append(place + start)


def _merged(
    best: list[list[torch.Tensor]], n: int, low: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Of the best of all parts the best n: their numbers, and whether they are allowed at all."""
    value, place = (torch.cat(parts, dim=-1) for parts in best)
    if len(best[0]) > 1:
        value, kept = value.topk(min(n, value.shape[-1]), dim=-1)
        place = place.gather(-1, kept)
    return place, value > low / 2


def _similarity(
    features: torch.Tensor, centroids: torch.Tensor, places: torch.Tensor
) -> torch.Tensor:
    """f.mu of every sample (B, d) and the clusters at its ``places`` (B, n): (B, n)."""
    dim = features.shape[-1]
    rows = places.flatten(-2)[..., None].expand(*places.shape[:-2], -1, dim)
    taken = centroids.to(features.dtype).gather(-2, rows)
    chosen: torch.Tensor = taken.unflatten(-2, places.shape[-2:])
    return (chosen @ features[..., None]).squeeze(-1)


def _spread(
    similarity: torch.Tensor, counts: torch.Tensor, scale: float, denominator: str
) -> torch.Tensor:
    """log sum or mean of exp(s f.mu) over the clusters of a row that count."""
    low = torch.finfo(similarity.dtype).min / 2
    total = torch.logsumexp(torch.where(counts, scale * similarity, low), dim=-1)
    if denominator == "sum":
        return total
    return total - counts.sum(dim=-1).clamp(min=1).to(total.dtype).log()
