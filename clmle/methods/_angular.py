"""Losses of pytorch-metric-learning with class weights of their own: softmax with a margin."""

from typing import Any, ClassVar

import numpy as np
import torch

from clmle.classifiers._base import Classifier, Validation, unit_rows
from clmle.classifiers.knn import PrototypeClassifier
from clmle.methods._base import Batch, Loss, Outputs
from clmle.methods._class_weights import weights_classifier
from clmle.methods._pair_loss import named_loss
from clmle.methods.softmax import SamplingOptions, Softmax


class AngularLoss(Softmax):
    """Adapter; the classifier is the largest cosine to a class weight, without margin.

    A subclass names the loss and the options that are its arguments, or makes the loss itself.
    """

    group: ClassVar[str] = "margins and cosines"
    Options: ClassVar[type] = SamplingOptions
    stored_weights: ClassVar[str] = "W"  # name of the weights in the state of the loss
    library_loss: ClassVar[str]
    arguments: ClassVar[tuple[str, ...]]

    def build(self) -> None:
        self.criterion = self.make()
        self.modules["criterion"] = self.criterion

    def make(self) -> Any:
        """Return the loss of pytorch-metric-learning."""
        return named_loss(self, num_classes=self.n_classes, embedding_size=self.feature_dim)

    def loss(self, outputs: Outputs, batch: Batch) -> Loss:
        loss = self.criterion(outputs.features, outputs.labels)
        return Loss(loss, {"margin softmax": loss.detach()})

    def trained_weights(self) -> np.ndarray:
        """Return the class weights (C, d), or (C m, d) with the m centers of a class together."""
        return np.asarray(self.criterion.state_dict()[self.stored_weights].float().cpu()).T

    def fit_classifier(self, train_features: np.ndarray, validation: Validation) -> Classifier:
        weights = self.trained_weights()
        per_class = len(weights) // self.n_classes
        if per_class == 1:
            return weights_classifier(weights, unit=True)
        classes = np.repeat(np.arange(self.n_classes), per_class)
        return PrototypeClassifier(unit_rows(weights), classes)


class AngularMultiplier(AngularLoss):
    """Common part of L-Softmax and A-Softmax: the margin multiplies the angle by m.

    A randomly initialized network does not converge under cos(m t). Both papers start with the
    plain cosine and mix the margin in, (lambda cos t + psi(t)) / (1 + lambda); the losses of
    pytorch-metric-learning do not.
    """

    def build(self) -> None:
        super().build()
        self.mixed = annealed(0.0, self.options.least_lambda)
        multiplied: Any = self.criterion.modify_cosine_of_target_classes

        def mixed_cosine(cosine: torch.Tensor) -> torch.Tensor:
            mixed: torch.Tensor = (self.mixed * cosine + multiplied(cosine)) / (1 + self.mixed)
            return mixed

        vars(self.criterion)["modify_cosine_of_target_classes"] = mixed_cosine

    def loss(self, outputs: Outputs, batch: Batch) -> Loss:
        self.mixed = annealed(outputs.progress, self.options.least_lambda)
        return super().loss(outputs, batch)


def annealed(progress: float, least: float, first: float = 1000.0, speed: float = 3300.0) -> float:
    """Return lambda at a fraction of the run: first / (1 + speed progress), at least ``least``.

    SphereFace is trained with 1000 / (1 + 0.12 t) over 28,000 steps t and a least of 5, which is
    reached after a sixteenth of the run; ``speed`` is 0.12 x 28,000.
    """
    return max(least, first / (1 + speed * progress))
