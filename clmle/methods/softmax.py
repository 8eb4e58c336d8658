"""Softmax cross-entropy: the baseline, and the base class of most methods."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F

from clmle.config import option
from clmle.device import to_device
from clmle.methods._base import Batch, Loss, Method, Outputs, register
from clmle.samplers.class_balanced import SAMPLINGS, sample_indices
from clmle.samplers.proportions import class_proportions


@dataclass(frozen=True)
class NoOptions:
    """No options."""


@dataclass(frozen=True)
class SamplingOptions:
    """Options of methods that may draw natural or class-balanced batches.

    Parameters
    ----------
    sampling : str
        How batches are drawn.
    """

    sampling: str = option("class-balanced", "natural or class-balanced batches", SAMPLINGS)


@register("softmax")
class Softmax(Method):
    """Cross-entropy on natural (instance-balanced) batches.

    ``sampling`` of the options, or else of the class, says how batches are drawn.
    """

    title = "Softmax"
    summary = "Plain cross-entropy without any correction for imbalance."
    Options: ClassVar[type] = NoOptions
    sampling: ClassVar[str] = "natural"
    term: ClassVar[str] = "softmax"  # name of the loss in the metrics of a run

    @classmethod
    def uses_all_parameters(cls, options: Any) -> bool:
        # A subclass may leave the head out, unless its loss is the one below.
        return cls.loss is Softmax.loss and cls.logits is Softmax.logits

    def sample_batch(self, step: int) -> Batch:
        sampling = getattr(self.options, "sampling", self.sampling)
        return Batch(sample_indices(sampling, self.labels, self.batch_size, step, self.seed))

    def class_proportions(self) -> np.ndarray:
        natural = getattr(self.options, "sampling", self.sampling) == "natural"
        return class_proportions(self.counts, power=1 if natural else 0)

    def loss(self, outputs: Outputs, batch: Batch) -> Loss:
        logits = self.logits(outputs, batch)
        loss = F.cross_entropy(logits, outputs.labels, weight=self.class_weights(outputs))
        return Loss(loss, {self.term: loss.detach()})

    def logits(self, outputs: Outputs, batch: Batch) -> torch.Tensor:
        """Return the logits of the cross-entropy, (B, C); by default those of the head."""
        return outputs.logits

    def class_weights(self, outputs: Outputs) -> torch.Tensor | None:
        """Return weights (C,) of the classes in the cross-entropy; by default None."""
        return None

    def per_class(self, values: Any, like: torch.Tensor) -> torch.Tensor:
        """Return ``values`` (C,) as a tensor of the type and device of ``like``."""
        return to_device(values, like.device, like.dtype)
