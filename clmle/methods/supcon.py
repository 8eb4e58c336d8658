"""Supervised contrastive learning."""

from dataclasses import dataclass

import numpy as np

from clmle.classifiers._base import Classifier, Validation
from clmle.config import option
from clmle.methods._base import register
from clmle.methods._frozen_features import logistic_regression
from clmle.methods._pair_loss import PairLoss
from clmle.methods.softmax import SamplingOptions


@dataclass(frozen=True)
class SupConOptions(SamplingOptions):
    """Options of supervised contrastive loss."""

    temperature: float = option(0.1, "temperature of the similarities")


@register("supcon")
class SupCon(PairLoss):
    """Supervised contrastive loss on one view per image; a linear classifier on frozen features.

    Khosla and others: Supervised Contrastive Learning (NeurIPS 2020).
    """

    title = "Supervised contrastive"
    summary = "All images of a class attract one another; a linear classifier on the features."
    Options = SupConOptions
    library_loss = "SupConLoss"
    arguments = ("temperature",)

    def fit_classifier(self, train_features: np.ndarray, validation: Validation) -> Classifier:
        return logistic_regression(train_features, self.labels, "linear on frozen features")
