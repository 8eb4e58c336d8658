"""Tau-normalized classifier: class weights divided by a power of their length."""

import numpy as np
import torch

from clmle.classifiers._base import Classifier, Validation, best_classifier
from clmle.classifiers.linear import LinearClassifier
from clmle.methods._base import Batch, Outputs, register
from clmle.methods._class_weights import ClassWeights
from clmle.methods.softmax import NoOptions


@register("tau-norm")
class TauNorm(ClassWeights):
    """Softmax; after training class weights w become w / |w|^tau, tau chosen on validation data.

    The classifier has no bias, since the lengths of its weights are meant to hold the class priors.

    Kang and others: Decoupling Representation and Classifier for Long-Tailed Recognition (ICLR
    2020), section 4.3.
    """

    group = "classifier and priors"
    title = "Decoupled: tau-normalized classifier"
    summary = "Plain softmax whose class weights are brought to similar lengths afterwards."
    Options = NoOptions

    def logits(self, outputs: Outputs, batch: Batch) -> torch.Tensor:
        logits: torch.Tensor = self.linear(outputs.features)
        return logits

    def fit_classifier(self, train_features: np.ndarray, validation: Validation) -> Classifier:
        weights = self.trained_weights()
        lengths = np.linalg.norm(weights, axis=1, keepdims=True)
        bias = np.zeros(len(weights), np.float32)
        classifiers = (
            LinearClassifier(weights / lengths**tau, bias, False, f"tau {tau:.1f}")
            for tau in np.linspace(0, 2, 21)
        )
        return best_classifier(classifiers, validation)
