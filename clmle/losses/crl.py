"""Class rectification loss: hard triplets of the minority classes of a batch (Dong 2017)."""

from __future__ import annotations

import torch


def minority_classes(labels: torch.Tensor, n_classes: int, share: float = 0.5) -> list[int]:
    """Classes of a batch (B,), rarest first, as long as together they hold at most ``share``."""
    counts = torch.bincount(labels, minlength=n_classes)
    chosen, total = [], 0
    for c in counts.argsort(stable=True).tolist():
        if counts[c] == 0:
            continue
        total += int(counts[c])
        if total > share * len(labels):
            break
        chosen.append(c)
    return chosen


def crl_loss(
    features: torch.Tensor,
    labels: torch.Tensor,
    n_classes: int,
    *,
    margin: float = 0.5,
    hardest: int = 25,
    share: float = 0.5,
) -> torch.Tensor:
    """Mean of [margin + D(a, p) - D(a, n)]_+ over hard triplets at instance level (CRL-I).

    Every sample of a minority class is an anchor; its positives are the ``hardest`` farthest of
    its class, its negatives the ``hardest`` nearest of the others, by Euclidean distance of
    unit features (B, d). Only triplets that lose count. Dong, Gong, Zhu: Class Rectification
    Hard Mining for Imbalanced Deep Learning (ICCV 2017), Eqs. 3 to 6.
    """
    distance = (2 - 2 * features @ features.T).clamp(min=1e-12).sqrt()
    losses = []
    for c in minority_classes(labels, n_classes, share):
        mine = labels == c
        if int(mine.sum()) < 2 or bool(mine.all()):
            continue
        own = distance[mine][:, mine]
        others = distance[mine][:, ~mine]
        itself = torch.eye(len(own), dtype=torch.bool, device=own.device)
        far = own.masked_fill(itself, -1.0).topk(min(hardest, len(own) - 1), dim=1).values
        near = others.topk(min(hardest, others.shape[1]), dim=1, largest=False).values
        losses.append(torch.relu(margin + far[:, :, None] - near[:, None, :]).reshape(-1))
    if not losses:
        return features.sum() * 0
    loss = torch.cat(losses)
    return loss.sum() / (loss > 0).sum().clamp(min=1)


def crl_weight(counts: torch.Tensor, eta: float = 0.01) -> float:
    """Share of CRL in the whole loss: eta times the percentage of samples that balance needs."""
    missing = (counts.max() - counts).sum() / (len(counts) * counts.max())
    return float(min(1.0, eta * 100 * float(missing)))
