"""Plain features, another judge: re-trained or re-scaled classifiers, class means, SMOTE.

Kang and others: Decoupling Representation and Classifier for Long-Tailed Recognition (ICLR
2020). The features are those of the plain softmax; the classifier is fitted when they are done.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from torch import nn

from clmle.classifiers._base import Classifier, best_classifier, unit_rows
from clmle.classifiers.linear import LinearClassifier
from clmle.config import option
from clmle.data.base import Task
from clmle.methods.base import Batch, Loss, Outputs, register
from clmle.methods.softmax import Softmax


class PlainFeatures(Softmax):
    """Softmax whose final judge is fitted on the features of all training images."""

    def needs_train_features(self) -> bool:
        return True


def logistic(
    features: np.ndarray, labels: np.ndarray, n_classes: int, name: str, balanced: bool = True
) -> LinearClassifier:
    """Logistic regression to convergence on standardized features, as a linear rule."""
    from sklearn.linear_model import LogisticRegression

    mean, spread = features.mean(axis=0), features.std(axis=0) + 1e-6
    model = LogisticRegression(class_weight="balanced" if balanced else None, max_iter=200)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # 200 rounds are enough; the fit says so otherwise
        model.fit((features - mean) / spread, labels)
    weights, bias = np.atleast_2d(model.coef_), np.atleast_1d(model.intercept_)
    if n_classes == 2:
        weights, bias = np.vstack([-weights, weights]) / 2, np.array([-bias[0], bias[0]]) / 2
    weights = weights / spread
    return LinearClassifier(
        weights.astype(np.float32), (bias - weights @ mean).astype(np.float32), False, name
    )


@register("crt")
class ClassifierRetraining(PlainFeatures):
    """Classifier re-trained with classes weighing the same, on the frozen features (cRT)."""

    title: ClassVar[str] = "Decoupled: classifier re-training (cRT)"
    summary: ClassVar[str] = "Plain softmax features; the linear classifier is re-trained evenly."

    def fit_classifier(
        self,
        train_features: np.ndarray,
        validation: tuple[np.ndarray, np.ndarray, np.ndarray],
    ) -> Classifier:
        return logistic(train_features, self.labels, self.n_classes, "classifier re-trained")


@dataclass(frozen=True)
class SmoteOptions:
    """Synthetic minority features."""

    neighbors: int = option(5, "nearest features of a class between which new ones are made")


@register("smote")
class Smote(PlainFeatures):
    """Classifier re-trained on features that SMOTE has evened out.

    Chawla, Bowyer, Hall, Kegelmeyer: SMOTE (JAIR 2002), by imbalanced-learn.
    """

    title: ClassVar[str] = "SMOTE on features"
    summary: ClassVar[str] = "The classifier is re-trained with synthetic minority features."
    Options: ClassVar[type] = SmoteOptions

    def fit_classifier(
        self,
        train_features: np.ndarray,
        validation: tuple[np.ndarray, np.ndarray, np.ndarray],
    ) -> Classifier:
        from imblearn.over_sampling import SMOTE

        k = min(self.options.neighbors, int(self.counts.min()) - 1)
        if k < 1:  # a single sample has nothing to be mixed with
            return logistic(train_features, self.labels, self.n_classes, "SMOTE")
        x, y = SMOTE(k_neighbors=k, random_state=self.seed).fit_resample(
            train_features, self.labels
        )
        return logistic(x, y, self.n_classes, "SMOTE", balanced=False)


@register("nearest-class-mean")
class NearestClassMean(PlainFeatures):
    """The class whose mean unit feature is nearest by cosine (NCM)."""

    title: ClassVar[str] = "Nearest class mean"
    summary: ClassVar[str] = "Plain softmax features, judged by the nearest class mean."

    def fit_classifier(
        self,
        train_features: np.ndarray,
        validation: tuple[np.ndarray, np.ndarray, np.ndarray],
    ) -> Classifier:
        means = class_means(unit_rows(train_features), self.labels, self.n_classes)
        return LinearClassifier(unit_rows(means), np.zeros(self.n_classes, np.float32), True, "NCM")


@register("tau-norm")
class TauNorm(Softmax):
    """Class weights divided by their length to the power tau, chosen on validation data."""

    title: ClassVar[str] = "Decoupled: tau-normalized classifier"
    summary: ClassVar[str] = "Plain softmax; its class weights are brought to similar lengths."

    def __init__(
        self, options: Any, task: Task, batch_size: int, seed: int, feature_dim: int = 64
    ) -> None:
        super().__init__(options, task, batch_size, seed, feature_dim)
        # Without bias: the length of a class's weights then holds what it has learned of priors.
        self.weights = nn.Linear(feature_dim, self.n_classes, bias=False)
        self.modules["classifier"] = self.weights

    def loss(self, outputs: Outputs, batch: Batch) -> Loss:
        logits = self.weights(outputs.features)
        return super().loss(Outputs(outputs.features, logits, outputs.labels), batch)

    def fit_classifier(
        self,
        train_features: np.ndarray,
        validation: tuple[np.ndarray, np.ndarray, np.ndarray],
    ) -> Classifier:
        weights = self.weights.weight.detach().float().cpu().numpy()
        lengths, bias = np.linalg.norm(weights, axis=1, keepdims=True), np.zeros(len(weights))
        rules = (
            LinearClassifier(
                weights / lengths**tau, bias.astype(np.float32), False, f"tau {tau:.1f}"
            )
            for tau in np.linspace(0, 2, 21)
        )
        return best_classifier(rules, validation)


def class_means(features: np.ndarray, labels: np.ndarray, n_classes: int) -> np.ndarray:
    """Mean of the rows of every class, (C, d); zero for an empty one."""
    sums = np.zeros((n_classes, features.shape[1]))
    np.add.at(sums, labels, features)
    counts = np.bincount(labels, minlength=n_classes)
    return (sums / np.maximum(counts, 1)[:, None]).astype(np.float32)


__all__ = ["PlainFeatures", "class_means", "logistic"]
