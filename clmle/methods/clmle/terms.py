"""The terms of CLMLE's loss: the head's term, and the weighted sum of all terms."""

import numpy as np
import torch
import torch.nn.functional as F

HEAD_TERM = {"softmax": "softmax", "squared": "squared error"}  # names of the terms in metrics


class TermSum:
    """Weighted sum of loss terms, and the loss of each sample for the cluster index.

    ``losses`` (..., B) holds the weighted loss of each sample without gradient, ``total`` the
    value to differentiate, and ``parts`` the mean of each term without its weight.
    """

    def __init__(self, features: torch.Tensor, shape: tuple[int, ...]) -> None:
        self.total = features.sum() * 0
        self.losses = torch.zeros(shape, device=features.device)
        self.parts: dict[str, torch.Tensor] = {}

    def add(
        self,
        name: str,
        weight: float,
        losses: torch.Tensor,
        mean: torch.Tensor,
        rows: slice = slice(None),
        n_tasks: torch.Tensor | int = 1,
    ) -> None:
        """Add a term with ``losses`` (..., b) of the samples ``rows`` and their ``mean``.

        For several tasks ``mean`` is the sum of their means, over ``n_tasks`` tasks.
        """
        self.losses[..., rows] += weight * losses.detach()
        self.total = self.total + weight * mean
        self.parts[name] = mean.detach() / n_tasks


def head_loss(
    logits: torch.Tensor, labels: torch.Tensor, proportions: np.ndarray | None, kind: str
) -> torch.Tensor:
    """Loss of the linear head for every sample, (..., B)."""
    sampled = None
    if proportions is not None:
        sampled = torch.as_tensor(proportions, dtype=logits.dtype, device=logits.device)
    if kind == "softmax":
        if sampled is not None:
            logits = logits + sampled.clamp(min=1e-30).log()[..., None, :]
        flat = F.cross_entropy(logits.flatten(0, -2), labels.flatten(), reduction="none")
        return flat.view_as(labels)
    target = 2.0 * F.one_hot(labels, logits.shape[-1]) - 1
    losses = (logits - target).square().mean(dim=-1)
    if sampled is None:
        return losses
    present = torch.where(sampled > 0, sampled, torch.inf)
    weights = present.amin(dim=-1, keepdim=True) / sampled.clamp(min=1e-30)
    return losses * weights.gather(-1, labels)
