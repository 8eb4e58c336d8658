"""Methods that train class weights without bias in place of the network's head."""

from typing import ClassVar

import numpy as np
from torch import nn

from clmle.classifiers._base import Classifier, Validation, unit_rows
from clmle.classifiers.linear import LinearClassifier
from clmle.methods.softmax import SamplingOptions, Softmax


class ClassWeights(Softmax):
    """Class weights W (C, d), trained by the loss of a subclass.

    The classifier is W f, or the cosine where ``unit`` is true.
    """

    Options: ClassVar[type] = SamplingOptions
    unit: ClassVar[bool] = True

    def build(self) -> None:
        self.linear = nn.Linear(self.feature_dim, self.n_classes, bias=False)
        self.modules["classifier"] = self.linear

    def trained_weights(self) -> np.ndarray:
        """Return the class weights, (C, d)."""
        return np.asarray(self.linear.weight.detach().float().cpu())

    def fit_classifier(self, train_features: np.ndarray, validation: Validation) -> Classifier:
        return weights_classifier(self.trained_weights(), self.unit)


def weights_classifier(weights: np.ndarray, unit: bool) -> Classifier:
    """The classifier by W f, or by cosine, of class weights W (C, d)."""
    bias = np.zeros(len(weights), np.float32)
    if unit:
        return LinearClassifier(unit_rows(weights), bias, True, "largest cosine")
    return LinearClassifier(weights, bias, False, "largest logit")
