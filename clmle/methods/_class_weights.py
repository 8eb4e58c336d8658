"""Methods that train class weights without bias in place of the network's head."""

from __future__ import annotations

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

    def fit_classifier(self, train_features: np.ndarray, validation: Validation) -> Classifier:
        weights = self.linear.weight.detach().float().cpu().numpy()
        return LinearClassifier(
            unit_rows(weights) if self.unit else weights,
            np.zeros(self.n_classes, np.float32),
            self.unit,
            "largest cosine" if self.unit else "largest logit",
        )
