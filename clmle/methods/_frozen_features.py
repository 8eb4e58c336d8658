"""Softmax features with a classifier that is fitted on them after training."""

import warnings
from typing import ClassVar

import numpy as np

from clmle.classifiers.linear import LinearClassifier
from clmle.methods.softmax import Softmax


class FrozenFeatures(Softmax):
    """Softmax whose classifier is fitted on the features of all training images."""

    group: ClassVar[str] = "classifier and priors"

    def needs_train_features(self) -> bool:
        return True


def logistic_regression(
    features: np.ndarray, labels: np.ndarray, name: str, balanced: bool = True
) -> LinearClassifier:
    """Fit logistic regression on standardized features (n, d) of classes ``labels`` (n,)."""
    from sklearn.linear_model import LogisticRegression

    mean, spread = features.mean(axis=0), features.std(axis=0) + 1e-6
    model = LogisticRegression(class_weight="balanced" if balanced else None, max_iter=200)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of no convergence: 200 iterations are enough here
        model.fit((features - mean) / spread, labels)
    weights, bias = np.atleast_2d(model.coef_), np.atleast_1d(model.intercept_)
    if len(model.classes_) == 2:
        weights, bias = np.vstack([-weights, weights]) / 2, np.array([-bias[0], bias[0]]) / 2
    weights = weights / spread
    return LinearClassifier(
        weights.astype(np.float32), (bias - weights @ mean).astype(np.float32), False, name
    )


def class_means(features: np.ndarray, labels: np.ndarray, n_classes: int) -> np.ndarray:
    """Return the mean feature of every class, (C, d); zero for an empty class."""
    sums = np.zeros((n_classes, features.shape[1]))
    np.add.at(sums, labels, features)
    counts = np.bincount(labels, minlength=n_classes)
    return (sums / np.maximum(counts, 1)[:, None]).astype(np.float32)
