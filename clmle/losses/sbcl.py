"""Subclass-balancing contrastive loss: subclasses attract one another more than classes."""

import torch


def sbcl_loss(
    features: torch.Tensor,
    labels: torch.Tensor,
    subclasses: torch.Tensor,
    class_temperatures: torch.Tensor,
    temperature: float = 0.1,
    class_weight: float = 0.25,
) -> torch.Tensor:
    """Supervised contrastive loss of subclasses, plus one of classes without the own subclass.

    The loss of an anchor f is the mean over the other samples p of its subclass of::

        -log [exp(f.p / t) / sum_k exp(f.k / t)]

    where k are all other samples, plus ``class_weight`` times the same mean over the samples p of
    its class outside of its subclass, where k are all samples outside of it and the temperature is
    that of its class. A mean without samples is 0.

    Parameters
    ----------
    features : (B, d) float tensor
        Features of unit length.
    labels : (B,) int64 tensor
    subclasses : (B,) int64 tensor
        Subclass of every sample; samples of a subclass have the same label.
    class_temperatures : (C,) float tensor
        Temperatures of the second term, above 0.
    temperature : float, default 0.1
        t, above 0.
    class_weight : float, default 0.25
        beta, weight of the second term.

    Returns
    -------
    scalar tensor
        Mean over the batch.

    References
    ----------
    C. Hou, J. Zhang, H. Wang, T. Zhou, "Subclass-balancing Contrastive Learning for Long-tailed
    Recognition", ICCV 2023.

    Examples
    --------
    >>> zero = torch.zeros(3, dtype=torch.int64)
    >>> loss = sbcl_loss(torch.eye(3), zero, torch.tensor([0, 0, 1]), torch.ones(1), 1.0, 1.0)
    >>> round(float(loss), 4)  # (2 log 2 + log 2) / 3: the third sample has no subclass mate
    0.6931
    """
    similarity = features @ features.T
    itself = torch.eye(len(features), dtype=torch.bool, device=features.device)
    mates = (subclasses[:, None] == subclasses) & ~itself
    outside = subclasses[:, None] != subclasses
    relatives = (labels[:, None] == labels) & outside
    first = _contrast(similarity / temperature, mates, ~itself)
    second = _contrast(similarity / class_temperatures[labels][:, None], relatives, outside)
    return (first + class_weight * second).mean()


def _contrast(logits: torch.Tensor, positive: torch.Tensor, all_: torch.Tensor) -> torch.Tensor:
    """Mean of -log softmax over the positives of every row, 0 without positives, (B,)."""
    low = torch.finfo(logits.dtype).min / 2
    log_p = torch.log_softmax(logits.masked_fill(~all_, low), dim=1).masked_fill(~positive, 0.0)
    return -log_p.sum(dim=1) / positive.sum(dim=1).clamp(min=1)


def subclass_temperatures(
    features: torch.Tensor, labels: torch.Tensor, n_subclasses: torch.Tensor, temperature: float
) -> torch.Tensor:
    """Temperatures of the second term of :func:`sbcl_loss`, higher for wide classes, (C,).

    ``temperature`` times the mean distance of the features (n, d) to the mean of their class,
    divided by log(n_c + 10), limited to the percentiles 20 and 80 of all classes, and divided by
    its mean; ``temperature`` itself for a class of one subclass.
    """
    counts = torch.bincount(labels, minlength=len(n_subclasses))
    means = torch.zeros(len(counts), features.shape[1], dtype=features.dtype)
    means.index_add_(0, labels, features).div_(counts.clamp(min=1)[:, None])
    distance = (features - means[labels]).norm(dim=1)
    width = torch.zeros(len(counts), dtype=features.dtype).index_add_(0, labels, distance)
    width = width / counts.clamp(min=1) / torch.log(counts + 10.0)
    ends = torch.quantile(width[counts > 0], torch.tensor([0.2, 0.8], dtype=width.dtype))
    width = width.clamp(ends[0], ends[1])
    relative = width / width[counts > 0].mean().clamp(min=1e-12)
    return torch.where(n_subclasses > 1, temperature * relative, temperature)
