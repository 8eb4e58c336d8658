"""Softmax (cross-entropy) on batches as the data come: the base of all classifiers here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F

from clmle.config import option
from clmle.methods.base import Batch, Loss, Method, Outputs, register
from clmle.samplers.class_balanced import SAMPLINGS, sample_indices
from clmle.samplers.proportions import class_proportions


@dataclass(frozen=True)
class NoOptions:
    """This method has nothing to set."""


@dataclass(frozen=True)
class Drawn:
    """Options of methods that can draw their batches either way."""

    sampling: str = option(
        "class-balanced", "batches: as the data come, or every class evenly", SAMPLINGS
    )


@register("softmax")
class Softmax(Method):
    """Cross-entropy on batches drawn as the data come."""

    title: ClassVar[str] = "Softmax"
    summary: ClassVar[str] = "Plain cross-entropy; nothing is done about imbalance."
    Options: ClassVar[type] = NoOptions
    sampling: ClassVar[str] = "natural"

    def sample_batch(self, step: int) -> Batch:
        sampling = getattr(self.options, "sampling", self.sampling)
        return Batch(sample_indices(sampling, self.labels, self.batch_size, step, self.seed))

    def class_proportions(self) -> np.ndarray:
        if getattr(self.options, "sampling", self.sampling) == "natural":
            return super().class_proportions()
        return class_proportions(self.counts)

    def loss(self, outputs: Outputs, batch: Batch) -> Loss:
        loss = F.cross_entropy(outputs.logits, outputs.labels, weight=self.class_weights(outputs))
        return Loss(loss, {"softmax": loss.detach()})

    def class_weights(self, outputs: Outputs) -> torch.Tensor | None:
        """Weights (C,) of the classes in the cross-entropy; none by default."""
        return None

    def per_class(self, values: Any, like: torch.Tensor) -> torch.Tensor:
        """``values`` (C,) as a tensor of the type and device of ``like``."""
        return torch.as_tensor(values, dtype=like.dtype, device=like.device)
