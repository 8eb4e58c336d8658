"""Softmax with an auxiliary loss on the features."""

from typing import ClassVar

import torch
import torch.nn.functional as F

from clmle.methods._base import Batch, Loss, Outputs
from clmle.methods.softmax import SamplingOptions, Softmax


class AuxiliaryLoss(Softmax):
    """Cross-entropy plus ``weight`` of the options times the auxiliary loss of a subclass."""

    group: ClassVar[str] = "pairs and contrast"
    Options: ClassVar[type] = SamplingOptions
    auxiliary_term: ClassVar[str] = "second term"

    def loss(self, outputs: Outputs, batch: Batch) -> Loss:
        softmax = F.cross_entropy(outputs.logits, outputs.labels)
        auxiliary = self.auxiliary_loss(outputs)
        parts = {"softmax": softmax.detach(), self.auxiliary_term: auxiliary.detach()}
        return Loss(softmax + self.options.weight * auxiliary, parts)

    def auxiliary_loss(self, outputs: Outputs) -> torch.Tensor:
        """Return the auxiliary loss of a batch."""
        raise NotImplementedError
