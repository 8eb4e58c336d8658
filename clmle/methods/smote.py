"""SMOTE on features: synthetic features of the minority classes for the linear classifier."""

from dataclasses import dataclass

import numpy as np

from clmle.classifiers._base import Classifier, Validation
from clmle.config import option
from clmle.methods._base import register
from clmle.methods._frozen_features import FrozenFeatures, logistic_regression


@dataclass(frozen=True)
class SmoteOptions:
    """Options of SMOTE."""

    neighbors: int = option(5, "nearest features of the same class to interpolate with")


@register("smote")
class Smote(FrozenFeatures):
    """Plain softmax features; the linear classifier is fitted on features balanced by SMOTE.

    Chawla, Bowyer, Hall, Kegelmeyer: SMOTE: Synthetic Minority Over-sampling Technique (JAIR 16,
    2002), in the implementation of imbalanced-learn.
    """

    title = "SMOTE on features"
    summary = "Plain softmax features; the classifier is fitted with synthetic minority features."
    Options = SmoteOptions

    def fit_classifier(self, train_features: np.ndarray, validation: Validation) -> Classifier:
        from imblearn.over_sampling import SMOTE

        k = min(self.options.neighbors, int(self.counts.min()) - 1)
        if k < 1:  # a class of a single sample has nothing to interpolate
            return logistic_regression(train_features, self.labels, "SMOTE")
        x, y = SMOTE(k_neighbors=k, random_state=self.seed).fit_resample(
            train_features, self.labels
        )
        return logistic_regression(x, y, "SMOTE", balanced=False)
