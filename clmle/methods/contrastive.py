"""Softmax and contrastive loss (DeepID2)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch.nn.functional as F

from clmle.classifiers._base import Classifier, Validation
from clmle.classifiers.linear import HeadClassifier
from clmle.config import option
from clmle.methods._base import Batch, Loss, Outputs, register
from clmle.methods._pair_loss import PairLoss
from clmle.methods.softmax import SamplingOptions


@dataclass(frozen=True)
class ContrastiveOptions(SamplingOptions):
    """Options of softmax with contrastive loss."""

    margin: float = option(0.5, "smallest distance between unit features of different classes")
    weight: float = option(0.1, "weight of the contrastive loss")


@register("contrastive")
class Contrastive(PairLoss):
    """Cross-entropy plus a contrastive loss on the pairs of a batch; the softmax predicts.

    Sun, Chen, Wang, Tang: Deep Learning Face Representation by Joint Identification-Verification
    (NIPS 2014).
    """

    title = "Softmax + contrastive"
    summary = "Cross-entropy; pairs of a class attract, others keep a distance."
    Options = ContrastiveOptions
    family = "classifier"

    def make(self) -> Any:
        from pytorch_metric_learning.losses import ContrastiveLoss

        return ContrastiveLoss(pos_margin=0.0, neg_margin=self.options.margin)

    def loss(self, outputs: Outputs, batch: Batch) -> Loss:
        pairs = self.pair_loss(outputs.features, outputs.labels)
        softmax = F.cross_entropy(outputs.logits, outputs.labels)
        total = softmax + self.options.weight * pairs
        return Loss(total, {"softmax": softmax.detach(), "pairs": pairs.detach()})

    def needs_train_features(self) -> bool:
        return False

    def fit_classifier(self, train_features: np.ndarray, validation: Validation) -> Classifier:
        return HeadClassifier()
