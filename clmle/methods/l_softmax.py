"""L-Softmax (large-margin softmax): the angle to the true class is multiplied by m."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from clmle.classifiers._base import Classifier, Validation
from clmle.config import option
from clmle.methods._angular import AngularMultiplier
from clmle.methods._base import register
from clmle.methods._class_weights import weights_classifier
from clmle.methods.softmax import SamplingOptions


@dataclass(frozen=True)
class LSoftmaxOptions(SamplingOptions):
    """Options of large-margin softmax."""

    margin: int = option(2, "m, whole number that multiplies the angle to the true class")
    least_lambda: float = option(5.0, "final weight of the plain cosine, relative to the margin")


@register("l-softmax")
class LSoftmax(AngularMultiplier):
    """Softmax in which the angle to the true class is multiplied by m.

    Liu, Wen, Yu, Yang: Large-Margin Softmax Loss for Convolutional Neural Networks (ICML 2016).
    """

    title = "L-Softmax"
    summary = "Softmax in which the angle to the true class is multiplied by m."
    Options = LSoftmaxOptions

    def make(self) -> Any:
        from pytorch_metric_learning.losses import LargeMarginSoftmaxLoss
        from pytorch_metric_learning.utils.common_functions import TorchInitWrapper

        # Class weights of length about 1, as in a linear head: their length scales the logits.
        start = TorchInitWrapper(torch.nn.init.normal_, std=self.feature_dim**-0.5)
        return LargeMarginSoftmaxLoss(
            self.n_classes, self.feature_dim, self.options.margin, weight_init_func=start
        )

    def fit_classifier(self, train_features: np.ndarray, validation: Validation) -> Classifier:
        # The lengths of the class weights are part of the logits.
        return weights_classifier(self.trained_weights(), unit=False)
