"""The CLMLE loss: margins between clusters, with classes (Eq. 9) and without classes (Eq. 8).

One function, :func:`hinge`, is the kernel of both equations. :func:`clmle_loss` selects the
clusters that a sample is compared with: the clusters of the batch, stored centroids, or the stored
centroids that are nearest to the sample.
"""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from clmle.checks import whole
from clmle.errors import InputError
from clmle.losses._checks import check_clmle_loss

BLOCK = 1 << 16  # centroids that are searched at a time


def clmle_loss(
    features: Tensor,
    clusters: Tensor | None,
    cluster_classes: Tensor,
    between_margin: float | Tensor,
    within_margin: float | Tensor,
    *,
    sample_weight: Tensor | None = None,
    scale: float = 1.0,
    denominator: str = "sum",
    centroids: Tensor | None = None,
    labels: Tensor | None = None,
    n_negative_clusters: int | None = None,
    within_weight: float = 1.0,
    reduction: str = "mean",
    validate: bool = True,
) -> Tensor:
    """Cluster-based large margin loss (Eq. 9).

    Let mu_m be the centroid of cluster m, c(m) its class and s the scale. The loss of a sample
    with feature f in cluster m is::

        [s a1 - s f.mu_m + log sum_{k: c(k) != c(m)}         exp(s f.mu_k)]_+
      + [s a2 - s f.mu_m + log sum_{k != m, c(k) = c(m)}     exp(s f.mu_k)]_+

    A term without any cluster k is 0. The defaults are those of the paper. Three corrections have
    names: ``denominator="mean"`` replaces the sum over K' clusters, because the hinge reaches zero
    only if a1 <= 1 - cos - log(K') / s; ``scale`` sharpens the comparison; and
    ``n_negative_clusters`` compares each sample with its nearest clusters only.

    All tensors may have further leading dimensions, (..., B, d), one entry for each of several
    independent tasks.

    Parameters
    ----------
    features : (B, d) float tensor
        Features f of unit length.
    clusters : (B,) integer tensor or None
        Cluster of each sample, as an index in [0, M). None takes the nearest centroid of the
        sample's class and needs ``labels``, ``centroids`` and ``n_negative_clusters``.
    cluster_classes : (M,) integer tensor
        Class of each cluster. A cluster of a class below 0 is ignored.
    between_margin : float or tensor
        a1, the margin between clusters of different classes, a difference of cosines. A tensor is
        broadcast to (B,).
    within_margin : float or (C,) tensor
        a2, the margin between clusters of one class, a difference of cosines; one for all classes
        or one for each class.
    sample_weight : (B,) tensor, optional
        Weight w_i of each sample; 1 by default. See :func:`inverse_frequency_weights`.
    scale : float, default 1.0
        s, above 0.
    denominator : {"sum", "mean"}, default "sum"
        Sum or mean of exp(s f.mu_k) over the clusters k.
    centroids : (M, d) tensor, optional
        Centroids mu. By default the means of the batch, which are not normalized and carry
        gradient; a cluster without samples in the batch is then ignored.
    labels : (B,) integer tensor, optional
        Class of each sample, used where ``clusters`` is None.
    n_negative_clusters : int, optional
        Number of clusters k in each term: those nearest to the sample. All clusters by default.
        Needs ``centroids``.
    within_weight : float, default 1.0
        Weight of the second term.
    reduction : {"mean", "sum", "none", "terms"}, default "mean"
        sum_i w_i loss_i / B, the sum alone, the (B,) values w_i loss_i, or the (2, B) values of the
        two terms without any weight.
    validate : bool, default True
        Check the arguments and that the loss is finite. These checks wait for a GPU; a training
        loop that checks its inputs elsewhere turns them off.

    Returns
    -------
    scalar tensor, (B,) tensor for ``reduction="none"``, or (2, B) tensor for ``"terms"``

    Raises
    ------
    InputError
        If shapes do not match, clusters or classes are out of range, an option is unknown, or the
        loss is not finite.

    References
    ----------
    C. Huang, Y. Li, C. C. Loy, X. Tang, "Deep Imbalanced Learning for Face Recognition and
    Attribute Prediction", Eq. 9 and section 3.3.

    Examples
    --------
    >>> f, classes = torch.eye(4), torch.tensor([0, 1])
    >>> float(clmle_loss(f, torch.tensor([0, 0, 1, 1]), classes, 1.0, 0.1))
    0.5
    """
    if validate:
        check_clmle_loss(
            features, clusters, cluster_classes, between_margin, within_margin, sample_weight,
            scale, denominator, centroids, labels, n_negative_clusters, within_weight, reduction,
        )  # fmt: skip
    # Half precision would lose the margins in the exponent; autocast would bring it back.
    with torch.autocast(features.device.type, enabled=False):
        if features.dtype in (torch.float16, torch.bfloat16):
            features = features.float()
        cluster_classes = cluster_classes.long()
        if clusters is not None:
            clusters = clusters.long()
            labels = cluster_classes.gather(-1, clusters)
        assert labels is not None
        labels = labels.long()
        if n_negative_clusters is None:
            assert clusters is not None
            compared = _all_clusters(features, clusters, labels, cluster_classes, centroids)
        else:
            assert centroids is not None
            compared = _nearest_clusters(
                features, clusters, labels, cluster_classes, centroids.to(features.dtype),
                n_negative_clusters, within_weight != 0,
            )  # fmt: skip
        a1 = _like(between_margin, features) if np.ndim(between_margin) else between_margin
        own, others, is_other, siblings, is_sibling = compared
        loss = between = hinge(own, others, is_other, a1, scale, denominator)
        within = torch.zeros_like(between)
        if within_weight != 0:
            a2 = within_margin
            if np.ndim(a2):  # one for each class
                a2 = _like(a2, features).expand(*labels.shape[:-1], -1).gather(-1, labels)
            within = hinge(own, siblings, is_sibling, a2, scale, denominator)
            loss = loss + within_weight * within
        if sample_weight is not None:
            loss = loss * sample_weight.to(loss.dtype)
    if validate and not bool(torch.isfinite(loss).all()):
        raise InputError(
            "The loss is not finite: features, centroids, margins or weights hold NaN or infinity, "
            "or overflow; if a training has diverged, lower learning_rate."
        )
    if reduction == "terms":
        return torch.stack((between, within))
    if reduction == "none":
        return loss
    total = loss.sum()
    return total if reduction == "sum" else total / max(loss.numel(), 1)


def hinge(
    own: Tensor,
    others: Tensor,
    mask: Tensor,
    margin: float | Tensor,
    scale: float,
    denominator: str,
) -> Tensor:
    """[s a - s f.mu_m + log sum_k exp(s f.mu_k)]_+ of every sample, (..., B): one term of Eq. 9.

    ``own`` (..., B) is f.mu_m, ``others`` (..., B, n) are the f.mu_k, of which ``mask`` selects
    those that count. A sample without any has loss 0.
    """
    count = mask.sum(dim=-1)
    # A finite stand-in for -inf: rows without any other cluster have gradient 0, not NaN.
    low = torch.finfo(others.dtype).min / 2
    log_sum = torch.logsumexp((scale * others).masked_fill(~mask, low), dim=-1)
    if denominator == "mean":
        log_sum = log_sum - count.clamp(min=1).to(log_sum.dtype).log()
    loss = torch.relu(scale * (margin - own) + log_sum)
    return torch.where(count > 0, loss, torch.zeros_like(loss))


def cluster_loss(
    features: Tensor,
    clusters: Tensor,
    n_clusters: int,
    margin: float,
    *,
    sample_weight: Tensor | None = None,
    scale: float = 1.0,
    denominator: str = "sum",
    centroids: Tensor | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Cluster-based large margin loss without classes (Eq. 8).

    The hinge of a sample's own cluster against all other clusters: :func:`clmle_loss` with one
    class for each cluster.

    Parameters
    ----------
    n_clusters : int
        M.
    margin : float
        Margin between clusters, a difference of cosines.
    features, clusters, sample_weight, scale, denominator, centroids, reduction
        As in :func:`clmle_loss`.

    Returns
    -------
    scalar tensor, or (B,) tensor for ``reduction="none"``

    References
    ----------
    The CLMLE paper, Eq. 8.

    Examples
    --------
    >>> f = torch.eye(2)
    >>> round(float(cluster_loss(f, torch.tensor([0, 1]), 2, margin=1.5)), 4)
    0.5
    """
    classes = torch.arange(whole(n_clusters, "n_clusters", 1), device=clusters.device)
    return clmle_loss(
        features, clusters, classes, margin, 0.0, sample_weight=sample_weight, scale=scale,
        denominator=denominator, centroids=centroids, reduction=reduction,
    )  # fmt: skip


class _Compared(NamedTuple):
    """f.mu of a sample's own cluster (..., B); of others and siblings (..., B, n), with masks."""

    own: Tensor
    others: Tensor
    is_other: Tensor
    siblings: Tensor
    is_sibling: Tensor


def _all_clusters(
    features: Tensor, clusters: Tensor, labels: Tensor, classes: Tensor, centroids: Tensor | None
) -> _Compared:
    """Every sample against all clusters: of the batch, by their means, or of given centroids."""
    taking_part = classes >= 0
    if centroids is None:
        members = one_hot(clusters, classes.shape[-1]).to(features.dtype)
        counts = members.sum(dim=-2)
        centroids = (members.mT @ features) / counts.clamp(min=1)[..., None]
        taking_part = taking_part & (counts > 0)
    similarity = features @ centroids.to(features.dtype).mT
    own = similarity.gather(-1, clusters[..., None]).squeeze(-1)
    same_class = labels[..., None] == classes[..., None, :]
    itself = clusters[..., None] == torch.arange(classes.shape[-1], device=clusters.device)
    present = taking_part[..., None, :]
    return _Compared(
        own, similarity, present & ~same_class, similarity, present & same_class & ~itself
    )


def _nearest_clusters(
    features: Tensor,
    clusters: Tensor | None,
    labels: Tensor,
    classes: Tensor,
    centroids: Tensor,
    n: int,
    with_siblings: bool,
) -> _Compared:
    """Every sample against the ``n`` nearest clusters of other classes and of the same class."""
    low = torch.finfo(features.dtype).min / 2
    n_same = n + 1 if with_siblings else 1
    same: list[tuple[Tensor, Tensor]] = []  # similarities and indices of each block
    other: list[tuple[Tensor, Tensor]] = []
    with torch.no_grad():  # in blocks, so that even 10^5 clusters cost neither time nor memory
        for start in range(0, centroids.shape[-2], BLOCK):
            part = slice(start, start + BLOCK)
            similarity = features @ centroids[..., part, :].transpose(-1, -2)
            own_class = labels[..., None] == classes[..., None, part]
            same.append(_largest(similarity.masked_fill(~own_class, low), n_same, start))
            # In place: the matrix is the largest array here.
            excluded = own_class.logical_or_(classes[..., None, part] < 0)
            other.append(_largest(similarity.masked_fill_(excluded, low), n, start))
        others, is_other = _merged(other, n, low)
        family, is_sibling = _merged(same, n_same, low)
        own = family[..., 0] if clusters is None else clusters
        if with_siblings:
            is_sibling = is_sibling & (family != own[..., None])
            # A sample's own cluster is in the family, or too far away for that: n siblings remain.
            first = (~is_sibling).to(torch.uint8).argsort(dim=-1, stable=True)[..., :n]
            family, is_sibling = family.gather(-1, first), is_sibling.gather(-1, first)
    to_own = _similarity(features, centroids, own[..., None])
    to_others = _similarity(features, centroids, others)
    to_siblings = _similarity(features, centroids, family) if with_siblings else to_own
    return _Compared(to_own.squeeze(-1), to_others, is_other, to_siblings, is_sibling)


def _largest(values: Tensor, n: int, start: int) -> tuple[Tensor, Tensor]:
    """The ``n`` largest of every row and their indices, which count from ``start``."""
    if n == 1:  # faster than topk
        found, index = values.max(dim=-1, keepdim=True)
    else:
        found, index = values.topk(min(n, values.shape[-1]), dim=-1)
    return found, index + start


def _merged(blocks: list[tuple[Tensor, Tensor]], n: int, low: float) -> tuple[Tensor, Tensor]:
    """Indices of the ``n`` largest values of all blocks, and which of them are above ``low``."""
    found, index = (torch.cat(parts, dim=-1) for parts in zip(*blocks, strict=True))
    if len(blocks) > 1:
        found, kept = found.topk(min(n, found.shape[-1]), dim=-1)
        index = index.gather(-1, kept)
    return index, found > low / 2


def _similarity(features: Tensor, centroids: Tensor, indices: Tensor) -> Tensor:
    """f.mu of every sample (..., B, d) and the centroids at its ``indices`` (..., B, n)."""
    dim = features.shape[-1]
    rows = indices.flatten(-2)[..., None].expand(*indices.shape[:-2], -1, dim)
    taken: Tensor = centroids.gather(-2, rows).unflatten(-2, indices.shape[-2:])
    return (taken @ features[..., None]).squeeze(-1)


def _like(margins: float | Tensor, features: Tensor) -> Tensor:
    """Margins as a tensor of the type and device of the features."""
    return torch.as_tensor(margins, dtype=features.dtype, device=features.device)
