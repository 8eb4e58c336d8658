"""The terms of CLMLE's loss: the head's term, and the weighted sum of all terms."""

import numpy as np
import torch
import torch.nn.functional as F

from clmle.device import to_device

HEAD_TERM = {"softmax": "softmax", "squared": "squared error"}  # names of the terms in metrics
MARGIN_TERM = "embedding"


class TermSum:
    """Weighted sum of loss terms, and the loss of each sample for the cluster index.

    ``losses`` (..., B) holds the weighted loss of each sample without gradient, ``total`` the
    value to differentiate, and ``parts`` the mean of each term without its weight.
    """

    def __init__(self, features: torch.Tensor, shape: tuple[int, ...]) -> None:
        self.features = features
        self.total = features.sum() * 0
        self.losses = torch.zeros(shape, device=features.device)
        self.parts: dict[str, torch.Tensor] = {}
        self.weighted: dict[str, torch.Tensor] = {}

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
        self.weighted[name] = weight * mean
        self.total = self.total + self.weighted[name]
        self.parts[name] = mean.detach() / n_tasks

    def log_activity(self, hinges: torch.Tensor, counted: torch.Tensor, with_within: bool) -> None:
        """Log how much Eq. 9 does in this batch.

        ``active_between`` and ``active_within`` are the fractions of samples whose hinge is not
        zero, among the ``counted`` ones (..., B); ``hinges`` are both (2, ..., B).
        ``gradient_fraction`` is the norm of the gradient of Eq. 9 with respect to the features,
        divided by the sum of the norms of all terms' gradients.
        """
        active = ((hinges > 0) & counted).flatten(1).sum(dim=1) / counted.sum().clamp(min=1)
        self.parts["active_between"] = active[0]
        if with_within:
            self.parts["active_within"] = active[1]
        norms = {name: self._gradient_norm(value) for name, value in self.weighted.items()}
        total = sum(norms.values(), self.total.new_zeros(()))
        fraction = norms[MARGIN_TERM] / total.clamp(min=torch.finfo(total.dtype).tiny)
        self.parts["gradient_fraction"] = fraction

    def _gradient_norm(self, value: torch.Tensor) -> torch.Tensor:
        (gradient,) = torch.autograd.grad(
            value, self.features, retain_graph=True, allow_unused=True
        )
        norm: torch.Tensor = self.total.new_zeros(()) if gradient is None else gradient.norm()
        return norm.detach()


def head_loss(
    logits: torch.Tensor, labels: torch.Tensor, proportions: np.ndarray | None, kind: str
) -> torch.Tensor:
    """Loss of the linear head for every sample, (..., B)."""
    sampled = None
    if proportions is not None:
        sampled = to_device(proportions, logits.device, logits.dtype)
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
