"""What a head loses beside Eq. 9: cross-entropy, or squared error, each corrected for shares."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F

PART = {"softmax": "softmax", "squared": "squared error"}  # names in metrics, as rivals have them


def head_loss(
    logits: torch.Tensor, labels: torch.Tensor, shares: np.ndarray | None, kind: str
) -> torch.Tensor:
    """The loss of every sample, (..., B).

    Parameters
    ----------
    logits : (..., B, C)
    labels : (..., B)
    shares : (..., C), optional
        In which the classes were drawn. The softmax's logits are shifted by their logarithms
        (balanced softmax, Ren and others, NeurIPS 2020); the squared error is weighed by the
        rarest share over one's own (MOON, Rudd and others, ECCV 2016, Eqs. 2 to 5). Without them
        nothing is corrected.
    kind : "softmax" or "squared"
        Cross-entropy, or the mean squared distance of the scores to +1 for one's class and -1 for
        the others.
    """
    drawn = None
    if shares is not None:
        drawn = torch.as_tensor(shares, dtype=logits.dtype, device=logits.device)
    if kind == "softmax":
        if drawn is not None:
            logits = logits + drawn.clamp(min=1e-30).log()[..., None, :]
        flat = F.cross_entropy(logits.flatten(0, -2), labels.flatten(), reduction="none")
        return flat.view_as(labels)
    target = 2.0 * F.one_hot(labels, logits.shape[-1]) - 1
    each = (logits - target).square().mean(dim=-1)
    if drawn is None:
        return each
    present = torch.where(drawn > 0, drawn, torch.inf)
    weights = present.amin(dim=-1, keepdim=True) / drawn.clamp(min=1e-30)
    return each * weights.gather(-1, labels)
