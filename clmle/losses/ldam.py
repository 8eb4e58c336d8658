"""LDAM: margins that grow as a class gets rarer (Cao 2019)."""

from __future__ import annotations

import torch
import torch.nn.functional as F


def ldam_margins(counts: torch.Tensor, largest: float = 0.5) -> torch.Tensor:
    """Margins (C,) proportional to n_c^(-1/4), the rarest class at ``largest``."""
    margins = counts.double().pow(-0.25)
    return largest * margins / margins.max()


def ldam_loss(
    cosine: torch.Tensor,
    labels: torch.Tensor,
    margins: torch.Tensor,
    scale: float = 30.0,
    weight: torch.Tensor | None = None,
) -> torch.Tensor:
    """Cross-entropy of scale (cos - margin_y at the true class).

    cosine (B, C), labels (B,), margins (C,). Cao, Wei, Gaidon, Arechiga, Ma: Learning Imbalanced
    Datasets with Label-Distribution-Aware Margin Loss (NeurIPS 2019), Eq. 13.
    """
    cut = F.one_hot(labels, cosine.shape[1]) * margins.to(cosine)[labels][:, None]
    return F.cross_entropy(scale * (cosine - cut), labels, weight=weight)
