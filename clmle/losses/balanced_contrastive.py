"""Balanced contrastive loss: classes averaged, every class present by its prototype (Zhu 2022)."""

from __future__ import annotations

import torch
import torch.nn.functional as F


def balanced_contrastive_loss(
    features: torch.Tensor,
    labels: torch.Tensor,
    prototypes: torch.Tensor,
    temperature: float = 0.1,
) -> torch.Tensor:
    """Supervised contrastive loss whose denominator gives every class one voice.

    For an anchor of class y: - mean_{p in class y} log [exp(f.p / t) / sum_c mean_{k in class c}
    exp(f.k / t)], where p and k run over the batch (the anchor left out) and the prototypes.
    features (B, d) unit rows, labels (B,), prototypes (C, d) unit rows. Zhu, Wang, Chen, Chen,
    Jiang: Balanced Contrastive Learning for Long-Tailed Visual Recognition (CVPR 2022), Eq. 8.
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
