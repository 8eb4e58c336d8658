"""Balanced softmax: the log prior of each class is added to its logit during training."""

from dataclasses import dataclass

import numpy as np
import torch

from clmle.config import option
from clmle.methods._base import Batch, Outputs, register
from clmle.methods.softmax import Softmax


@dataclass(frozen=True)
class TauOptions:
    """Options of logit adjustment."""

    tau: float = option(1.0, "factor of the log prior")


@register("balanced-softmax")
class BalancedSoftmax(Softmax):
    """Cross-entropy of logits + tau log prior; the logits alone predict.

    Ren and others: Balanced Meta-Softmax for Long-Tailed Visual Recognition (NeurIPS 2020), Eq. 3;
    Menon and others: Long-tail Learning via Logit Adjustment (ICLR 2021), Eq. 10.
    """

    group = "classifier and priors"
    title = "Balanced softmax (logit-adjusted loss)"
    summary = "Cross-entropy after the log prior of each class is added to its logit."
    Options = TauOptions

    def logits(self, outputs: Outputs, batch: Batch) -> torch.Tensor:
        prior = self.per_class(np.log(self.class_proportions()), outputs.logits)
        logits: torch.Tensor = outputs.logits + self.options.tau * prior
        return logits
