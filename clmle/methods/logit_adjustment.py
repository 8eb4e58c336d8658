"""Logits corrected by class priors: in training (balanced softmax) or after it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch.nn.functional as F

from clmle.classifiers._base import Classifier
from clmle.classifiers.linear import OffsetClassifier
from clmle.config import option
from clmle.methods.base import Batch, Loss, Outputs, register
from clmle.methods.softmax import Softmax


@dataclass(frozen=True)
class TauOptions:
    """Strength of the correction."""

    tau: float = option(1.0, "how much of the log prior is taken off")


@register("balanced-softmax")
class BalancedSoftmax(Softmax):
    """Cross-entropy of logits + tau log prior, judged by the logits alone.

    Ren and others: Balanced Meta-Softmax (NeurIPS 2020), Eq. 3; Menon and others: Long-tail
    Learning via Logit Adjustment (ICLR 2021), Eq. 10.
    """

    title: ClassVar[str] = "Balanced softmax (logit-adjusted loss)"
    summary: ClassVar[str] = "The log prior of a class is added to its logit while training."
    Options: ClassVar[type] = TauOptions

    def loss(self, outputs: Outputs, batch: Batch) -> Loss:
        prior = self.per_class(np.log(self.counts / self.counts.sum()), outputs.logits)
        loss = F.cross_entropy(outputs.logits + self.options.tau * prior, outputs.labels)
        return Loss(loss, {"softmax": loss.detach()})


@register("logit-adjustment")
class LogitAdjustment(Softmax):
    """Plain softmax whose logits lose tau log prior after training (Menon 2021, Eq. 9)."""

    title: ClassVar[str] = "Logit adjustment after training"
    summary: ClassVar[str] = "Plain softmax; the log prior is taken off its logits at test time."
    Options: ClassVar[type] = TauOptions

    def fit_classifier(
        self,
        train_features: np.ndarray,
        validation: tuple[np.ndarray, np.ndarray, np.ndarray],
    ) -> Classifier:
        return OffsetClassifier(-self.options.tau * np.log(self.counts / self.counts.sum()))
