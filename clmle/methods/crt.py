"""Classifier re-training (cRT): a class-balanced linear classifier on frozen softmax features."""

import numpy as np

from clmle.classifiers._base import Classifier, Validation
from clmle.methods._base import register
from clmle.methods._frozen_features import FrozenFeatures, logistic_regression


@register("crt")
class ClassifierRetraining(FrozenFeatures):
    """Plain softmax features; the linear classifier is fitted again with balanced classes.

    Kang and others: Decoupling Representation and Classifier for Long-Tailed Recognition (ICLR
    2020), section 4.1.
    """

    title = "Decoupled: classifier re-training (cRT)"
    summary = "Plain softmax features; the linear classifier is fitted again, class-balanced."

    def fit_classifier(self, train_features: np.ndarray, validation: Validation) -> Classifier:
        return logistic_regression(train_features, self.labels, "classifier re-trained")
