"""Balanced contrastive loss: contrastive, with class averages and prototypes (Zhu 2022)."""

import torch
import torch.nn.functional as F
from torch import Tensor


def balanced_contrastive_loss(
    features: Tensor, labels: Tensor, prototypes: Tensor, temperature: float = 0.1
) -> Tensor:
    """Supervised contrastive loss in whose denominator every class has the same weight.

    The loss of an anchor f of class y is the mean over its positives p of::

        -log [exp(f.p / t) / sum_c mean_{k in class c} exp(f.k / t)]

    where p and k are the other samples of the batch and the prototypes.

    Parameters
    ----------
    features : (B, d) float tensor
        Features of unit length.
    labels : (B,) int64 tensor
    prototypes : (C, d) float tensor
        Class prototypes of unit length.
    temperature : float, default 0.1
        t, above 0.

    Returns
    -------
    scalar tensor
        Mean over the batch.

    References
    ----------
    J. Zhu, Z. Wang, J. Chen, Y.-P. P. Chen, Y.-G. Jiang, "Balanced Contrastive Learning for
    Long-Tailed Visual Recognition", CVPR 2022, Eq. 8.

    Examples
    --------
    >>> loss = balanced_contrastive_loss(torch.eye(2), torch.tensor([0, 1]), torch.eye(2), 1.0)
    >>> round(float(loss), 4)
    0.3133
    """
    n, n_classes = len(features), len(prototypes)
    everything = torch.cat([features, prototypes])
    classes = torch.cat([labels, torch.arange(n_classes, device=labels.device)])
    logits = features @ everything.T / temperature
    itself = torch.eye(n, len(everything), dtype=torch.bool, device=features.device)
    logits = logits.masked_fill(itself, torch.finfo(logits.dtype).min / 2)
    member = F.one_hot(classes, n_classes).to(logits.dtype)
    count = member.sum(dim=0) - F.one_hot(labels, n_classes).to(logits.dtype)
    top = logits.amax(dim=1, keepdim=True).detach()
    mean = (torch.exp(logits - top) @ member) / count.clamp(min=1)
    log_all = top.squeeze(1) + mean.sum(dim=1).log()
    positive = (labels[:, None] == classes) & ~itself
    own = (logits * positive).sum(dim=1) / positive.sum(dim=1).clamp(min=1)
    return (log_all - own).mean()
