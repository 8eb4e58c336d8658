"""The CLMLE loss: margins between clusters, with class labels (Eq. 9) and without (Eq. 8)."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from clmle.checks import dense, number, whole
from clmle.errors import InputError

DENOMINATORS = ("sum", "mean")
WHOLE = (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8)
REDUCTIONS = ("mean", "sum", "none")


def clmle_loss(
    features: torch.Tensor,
    clusters: torch.Tensor,
    cluster_classes: torch.Tensor,
    between_margin: float,
    within_margin: float | torch.Tensor,
    *,
    sample_weight: torch.Tensor | None = None,
    scale: float = 1.0,
    denominator: str = "sum",
    centroids: torch.Tensor | None = None,
    reduction: str = "mean",
    within_weight: float = 1.0,
) -> torch.Tensor:
    """Eq. 9: hinges on the log-odds of a sample's own cluster against the others of a batch.

    With mu_m the mean of the batch's features of cluster m, of class c(m), and s the scale,
    a sample f of cluster m loses::

        [s a1 - s f.mu_m + log sum_{k: c(k) != c(m)}         exp(s f.mu_k)]_+
      + [s a2 - s f.mu_m + log sum_{k != m, c(k) = c(m)}     exp(s f.mu_k)]_+

    where a term without any k is 0. The paper is ``scale=1.0, denominator="sum"``. Repaired
    by name: "mean" in place of the sum, because a sum over K' clusters needs
    a1 <= 1 - cos - log(K') / s for the hinge to reach zero at all; and s > 1.

    Parameters
    ----------
    features : (B, d) float tensor
        Rows of unit length.
    clusters : (B,) integer tensor
        Slot in [0, M) of every row's cluster.
    cluster_classes : (M,) integer tensor
        Class of every slot.
    between_margin : float
        a1, between clusters of different classes, a difference of cosines.
    within_margin : float or (C,) tensor
        a2, between clusters of one class; one for all or one for each class.
    sample_weight : (B,) tensor, optional
        w_i; 1 by default. See :func:`inverse_frequency_weights`.
    scale : float
        s > 0.
    denominator : str
        "sum" (printed) or "mean".
    centroids : (M, d) tensor, optional
        Used in place of the batch's own means, which are not normalized and carry gradient.
    reduction : str
        "mean" is sum_i w_i loss_i / B, "sum" leaves out the division, "none" gives
        w_i loss_i, (B,).
    within_weight : float
        Weight of the second term; 1 in the paper.

    Raises
    ------
    InputError
        Shapes that do not fit, slots or classes out of range, an unknown option.

    References
    ----------
    Huang, Li, Loy, Tang: Deep Imbalanced Learning for Face Recognition and Attribute
    Prediction, Eq. 9 and section 3.3.

    Examples
    --------
    >>> f = torch.eye(4)
    >>> float(clmle_loss(f, torch.tensor([0, 0, 1, 1]), torch.tensor([0, 1]), 0.2, 0.1))
    0.0
    """
    _check(features, clusters, cluster_classes, scale, denominator, reduction, centroids)
    clusters, cluster_classes = clusters.long(), cluster_classes.long()
    if sample_weight is not None:
        dense(sample_weight, "sample_weight")
    if sample_weight is not None and sample_weight.shape != clusters.shape:
        raise InputError(
            f"sample_weight must hold one weight for each of the {len(clusters)} rows, "
            f"but has shape {tuple(sample_weight.shape)}."
        )
    if np.ndim(within_margin) > 1 or np.iscomplexobj(within_margin):
        raise InputError(
            "within_margin must be one real number, or (C,) of them, but has shape "
            f"{tuple(np.shape(within_margin))}."
        )
    if np.ndim(within_margin) == 1:
        within_margin = torch.as_tensor(within_margin)
        if len(cluster_classes) and int(cluster_classes.max()) >= len(within_margin):
            raise InputError(
                f"within_margin holds {len(within_margin)} classes, but cluster_classes names "
                f"class {int(cluster_classes.max())}; give one margin for each class."
            )
        a2: float | torch.Tensor = within_margin.to(features.device)[cluster_classes[clusters]]
    else:
        a2 = number(within_margin, "within_margin")  # a float32 tensor would round it
    similarity, present = _similarity(features, clusters, len(cluster_classes), centroids)
    own = similarity.gather(1, clusters[:, None]).squeeze(1)
    same_class = cluster_classes[clusters][:, None] == cluster_classes
    itself = clusters[:, None] == torch.arange(len(cluster_classes), device=clusters.device)
    between = _hinge(
        own,
        similarity,
        present & ~same_class,
        number(between_margin, "between_margin"),
        scale,
        denominator,
    )
    inside = _hinge(own, similarity, present & same_class & ~itself, a2, scale, denominator)
    both = between + number(within_weight, "within_weight") * inside
    return _finite(_reduce(both, sample_weight, reduction))


def cluster_loss(
    features: torch.Tensor,
    clusters: torch.Tensor,
    n_clusters: int,
    margin: float,
    *,
    sample_weight: torch.Tensor | None = None,
    scale: float = 1.0,
    denominator: str = "sum",
    centroids: torch.Tensor | None = None,
    reduction: str = "mean",
) -> torch.Tensor:
    """Eq. 8: the same hinge against all other clusters, blind to classes.

    Parameters are those of :func:`clmle_loss`; every cluster counts as a class of its own.
    """
    classes = torch.arange(whole(n_clusters, "n_clusters", 1), device=clusters.device)
    return clmle_loss(
        features,
        clusters,
        classes,
        margin,
        0.0,
        sample_weight=sample_weight,
        scale=scale,
        denominator=denominator,
        centroids=centroids,
        reduction=reduction,
    )


class CLMLELoss(nn.Module):
    """:func:`clmle_loss` as a module that holds margins, scale and denominator.

    Examples
    --------
    >>> loss = CLMLELoss(between_margin=0.5, within_margin=0.1, scale=8.0, denominator="mean")
    >>> f = torch.nn.functional.normalize(torch.randn(6, 3), dim=1)
    >>> slots = torch.tensor([0, 0, 1, 1, 2, 2])
    >>> loss(f, slots, torch.tensor([0, 0, 1])).shape
    torch.Size([])
    """

    within_margin: torch.Tensor

    def __init__(
        self,
        between_margin: float,
        within_margin: float | torch.Tensor,
        *,
        scale: float = 1.0,
        denominator: str = "sum",
        reduction: str = "mean",
        within_weight: float = 1.0,
    ) -> None:
        super().__init__()
        self.between_margin = between_margin
        if np.ndim(within_margin) == 0:
            number(within_margin, "within_margin")
        self.register_buffer("within_margin", torch.as_tensor(within_margin))
        self.scale = scale
        self.denominator = denominator
        self.reduction = reduction
        self.within_weight = within_weight

    def forward(
        self,
        features: torch.Tensor,
        clusters: torch.Tensor,
        cluster_classes: torch.Tensor,
        *,
        sample_weight: torch.Tensor | None = None,
        centroids: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Loss of a batch; shapes as in :func:`clmle_loss`."""
        return clmle_loss(
            features,
            clusters,
            cluster_classes,
            self.between_margin,
            self.within_margin,
            sample_weight=sample_weight,
            scale=self.scale,
            denominator=self.denominator,
            centroids=centroids,
            reduction=self.reduction,
            within_weight=self.within_weight,
        )


def _similarity(
    features: torch.Tensor, clusters: torch.Tensor, n_slots: int, centroids: torch.Tensor | None
) -> tuple[torch.Tensor, torch.Tensor]:
    """f.mu of every sample and slot, (B, M), and which slots take part, (M,)."""
    # Half precision would lose the margins in the exponent; autocast would bring it back.
    with torch.autocast(features.device.type, enabled=False):
        if features.dtype in (torch.float16, torch.bfloat16):
            features = features.float()
        if centroids is not None:
            present = torch.ones(n_slots, dtype=torch.bool, device=features.device)
            return features @ centroids.to(features.dtype).T, present
        members = torch.nn.functional.one_hot(clusters, n_slots).to(features.dtype)
        counts = members.sum(dim=0)
        means = (members.T @ features) / counts.clamp(min=1)[:, None]
        return features @ means.T, counts > 0


def _hinge(
    own: torch.Tensor,
    similarity: torch.Tensor,
    others: torch.Tensor,
    margin: float | torch.Tensor,
    scale: float,
    denominator: str,
) -> torch.Tensor:
    """[s a - s f.mu_m + log sum_k exp(s f.mu_k)]_+ over the slots in ``others``, (B,)."""
    count = others.sum(dim=1)
    # A finite stand-in for -inf, so that rows without any other cluster have gradient 0, not NaN.
    low = torch.finfo(similarity.dtype).min / 2
    exponent = (scale * similarity).masked_fill(~others, low)
    spread = torch.logsumexp(exponent, dim=1)
    if denominator == "mean":
        spread = spread - count.clamp(min=1).to(spread.dtype).log()
    loss = torch.relu(scale * margin - scale * own + spread)
    return torch.where(count > 0, loss, torch.zeros_like(loss))


def _reduce(loss: torch.Tensor, sample_weight: torch.Tensor | None, reduction: str) -> torch.Tensor:
    if sample_weight is not None:
        loss = loss * sample_weight.to(loss.dtype)
    if reduction == "none":
        return loss
    total = loss.sum()
    return total if reduction == "sum" else total / max(len(loss), 1)


def _finite(loss: torch.Tensor) -> torch.Tensor:
    if not bool(torch.isfinite(loss).all()):
        raise InputError(
            "The loss is not finite: features, centroids, margins or weights hold NaN or infinity, "
            "or overflow; if a training has diverged, lower learning_rate."
        )
    return loss


def _check(
    features: torch.Tensor,
    clusters: torch.Tensor,
    cluster_classes: torch.Tensor,
    scale: float,
    denominator: str,
    reduction: str,
    centroids: torch.Tensor | None,
) -> None:
    dense(features, "features")
    dense(clusters, "clusters")
    dense(cluster_classes, "cluster_classes")
    if centroids is not None:
        dense(centroids, "centroids")
    if features.dim() != 2 or not features.is_floating_point():
        raise InputError(f"features must be a float tensor (B, d), not {tuple(features.shape)}.")
    if clusters.shape != features.shape[:1] or clusters.dtype not in WHOLE:
        raise InputError(
            f"clusters must hold a whole number for each of the {len(features)} rows of "
            f"features, but has shape {tuple(clusters.shape)} and type {clusters.dtype}."
        )
    if cluster_classes.dim() != 1 or cluster_classes.dtype not in WHOLE:
        raise InputError("cluster_classes must be (M,) whole numbers, the class of every slot.")
    if len(clusters) and not 0 <= int(clusters.min()) <= int(clusters.max()) < len(cluster_classes):
        raise InputError(
            f"clusters must be slots from 0 to {len(cluster_classes) - 1}, "
            f"but hold {int(clusters.min())} to {int(clusters.max())}."
        )
    if centroids is not None and centroids.shape != (len(cluster_classes), features.shape[1]):
        raise InputError(
            f"centroids must be ({len(cluster_classes)}, {features.shape[1]}), "
            f"not {tuple(centroids.shape)}."
        )
    number(scale, "scale", above=0)
    if denominator not in DENOMINATORS:
        raise InputError(f"denominator is {denominator!r}; choose sum or mean.")
    if reduction not in REDUCTIONS:
        raise InputError(f"reduction is {reduction!r}; choose mean, sum or none.")
