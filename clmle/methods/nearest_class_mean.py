"""Nearest class mean (NCM) on softmax features."""

import numpy as np

from clmle.classifiers._base import Classifier, Validation, unit_rows
from clmle.classifiers.linear import LinearClassifier
from clmle.methods._base import register
from clmle.methods._frozen_features import FrozenFeatures, class_means


@register("nearest-class-mean")
class NearestClassMean(FrozenFeatures):
    """Plain softmax features; the class with the nearest mean unit feature, by cosine.

    Kang and others: Decoupling Representation and Classifier for Long-Tailed Recognition (ICLR
    2020), section 4.2.
    """

    title = "Nearest class mean"
    summary = "Plain softmax features, classified by the nearest class mean."

    def fit_classifier(self, train_features: np.ndarray, validation: Validation) -> Classifier:
        means = class_means(unit_rows(train_features), self.labels, self.n_classes)
        return LinearClassifier(unit_rows(means), np.zeros(self.n_classes, np.float32), True, "NCM")
