"""Balanced contrastive learning (BCL): balanced softmax and a class-averaged contrastive loss."""

from dataclasses import dataclass

import numpy as np
import torch.nn.functional as F

from clmle.config import option
from clmle.losses.balanced_contrastive import balanced_contrastive_loss
from clmle.methods._base import Batch, Loss, Outputs, register
from clmle.methods._class_weights import ClassWeights


@dataclass(frozen=True)
class BCLOptions:
    """Options of balanced contrastive learning."""

    temperature: float = option(0.1, "temperature of the similarities")
    weight: float = option(0.35, "weight of the contrastive loss, added to the balanced softmax")


@register("balanced-contrastive")
class BalancedContrastive(ClassWeights):
    """Balanced softmax plus a contrastive loss in which every class has the same weight.

    One view of each image is used. The unit class weights are the prototypes of the contrastive
    loss.

    Zhu and others: Balanced Contrastive Learning for Long-Tailed Visual Recognition (CVPR 2022).
    """

    group = "pairs and contrast"
    title = "Balanced contrastive (BCL)"
    summary = "Balanced softmax and a contrastive loss that averages over classes."
    Options = BCLOptions
    unit = False

    def loss(self, outputs: Outputs, batch: Batch) -> Loss:
        o = self.options
        prior = self.per_class(np.log(self.class_proportions()), outputs.features)
        softmax = F.cross_entropy(self.linear(outputs.features) + prior, outputs.labels)
        contrast = balanced_contrastive_loss(
            F.normalize(outputs.features, dim=1),
            outputs.labels,
            F.normalize(self.linear.weight, dim=1),
            o.temperature,
        )
        parts = {"softmax": softmax.detach(), "contrast": contrast.detach()}
        return Loss(softmax + o.weight * contrast, parts)
