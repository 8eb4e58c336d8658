"""Softmax and contrastive loss (DeepID2)."""

from dataclasses import dataclass

import torch

from clmle.config import option
from clmle.methods._auxiliary import AuxiliaryLoss
from clmle.methods._base import Outputs, register
from clmle.methods.softmax import SamplingOptions


@dataclass(frozen=True)
class ContrastiveOptions(SamplingOptions):
    """Options of softmax with contrastive loss."""

    margin: float = option(0.5, "smallest distance between unit features of different classes")
    weight: float = option(0.1, "weight of the contrastive loss")


@register("contrastive")
class Contrastive(AuxiliaryLoss):
    """Cross-entropy plus a contrastive loss on the pairs of a batch; the softmax predicts.

    Sun, Chen, Wang, Tang: Deep Learning Face Representation by Joint Identification-Verification
    (NIPS 2014).
    """

    title = "Softmax + contrastive"
    summary = "Cross-entropy; pairs of a class attract, others keep a distance."
    Options = ContrastiveOptions
    auxiliary_term = "pairs"

    def build(self) -> None:
        from pytorch_metric_learning.losses import ContrastiveLoss

        self.criterion = ContrastiveLoss(pos_margin=0.0, neg_margin=self.options.margin)

    def auxiliary_loss(self, outputs: Outputs) -> torch.Tensor:
        loss: torch.Tensor = self.criterion(outputs.features, outputs.labels)
        return loss
