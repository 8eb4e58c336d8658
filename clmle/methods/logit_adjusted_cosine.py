"""Logit-adjusted cosine classifier: cosines of unit class weights plus the log prior."""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from clmle.config import option
from clmle.methods._base import Batch, Outputs, register
from clmle.methods._class_weights import ClassWeights
from clmle.methods.balanced_softmax import TauOptions


@dataclass(frozen=True)
class LogitAdjustedCosineOptions(TauOptions):
    """Options of the logit-adjusted cosine classifier."""

    scale: float = option(16.0, "s, scale of the cosines")


@register("logit-adjusted-cosine")
class LogitAdjustedCosine(ClassWeights):
    """Cross-entropy of s cos + tau log prior; the largest cosine predicts.

    Menon and others: Long-tail Learning via Logit Adjustment (ICLR 2021), Eq. 10, with the
    normalized classifier that LIFT and others train on pretrained features: a frequent class
    cannot have a longer weight than a rare one.
    """

    group = "classifier and priors"
    title = "Logit-adjusted cosine classifier"
    summary = "Cosines to unit class weights; the log prior of each class is added in training."
    Options = LogitAdjustedCosineOptions

    def logits(self, outputs: Outputs, batch: Batch) -> torch.Tensor:
        o = self.options
        cosine = F.linear(
            F.normalize(outputs.features, dim=1), F.normalize(self.linear.weight, dim=1)
        )
        prior = self.per_class(np.log(self.class_proportions()), cosine)
        logits: torch.Tensor = o.scale * cosine + o.tau * prior
        return logits
