"""Logit adjustment after training: the log prior of each class is subtracted from its logit."""

import numpy as np

from clmle.classifiers._base import Classifier, Validation
from clmle.classifiers.linear import OffsetClassifier
from clmle.methods._base import register
from clmle.methods.balanced_softmax import TauOptions
from clmle.methods.softmax import Softmax


@register("logit-adjustment")
class LogitAdjustment(Softmax):
    """Plain softmax; tau log prior is subtracted from the logits after training.

    Menon and others: Long-tail Learning via Logit Adjustment (ICLR 2021), Eq. 9.
    """

    group = "classifier and priors"
    title = "Logit adjustment after training"
    summary = "Plain softmax; the log prior is subtracted from the logits after training."
    Options = TauOptions

    def fit_classifier(self, train_features: np.ndarray, validation: Validation) -> Classifier:
        return OffsetClassifier(-self.options.tau * np.log(self.class_proportions()))
