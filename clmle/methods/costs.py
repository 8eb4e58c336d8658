"""Cost-sensitive cross-entropy: a class weighs more the rarer it is, by four schemes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch

from clmle.config import option
from clmle.errors import InputError
from clmle.methods.base import Outputs, register
from clmle.methods.softmax import Softmax


@dataclass(frozen=True)
class ClassWeightingOptions:
    """Scheme of the class weights."""

    weights: str = option(
        "inverse",
        "inverse: 1 / L_c; relative: 1 - L_c / L; median: median(L) / L_c, at most 10",
        ("inverse", "relative", "median"),
    )


@register("class-weighting")
class ClassWeighting(Softmax):
    """Cross-entropy with one weight per class, scaled so that the mean over the samples is 1.

    With L_c images of class c and L in all: ``inverse`` 1 / L_c, ``relative`` 1 - L_c / L, and
    ``median`` median(L) / L_c, at most 10 (Eigen and Fergus, ICCV 2015).
    """

    title: ClassVar[str] = "Class weighting"
    summary: ClassVar[str] = "Cross-entropy in which a rarer class has a larger weight."
    Options: ClassVar[type] = ClassWeightingOptions

    def class_weights(self, outputs: Outputs) -> torch.Tensor | None:
        weights = self.unscaled_weights()
        # Over the training set the mean weight of a sample is 1, whatever the scheme.
        mean = float((weights * self.counts).sum() / self.counts.sum())
        return self.per_class(weights / mean, outputs.logits)

    def unscaled_weights(self) -> np.ndarray:
        """Weights of the classes, (C,), up to a factor."""
        weights = {
            "inverse": 1 / self.counts,
            "relative": 1 - self.counts / self.counts.sum(),
            "median": np.minimum(np.median(self.counts) / self.counts, 10.0),
        }
        found: np.ndarray = weights[self.options.weights]
        return found


def effective_numbers(counts: np.ndarray, beta: float) -> np.ndarray:
    """(1 - beta^L_c) / (1 - beta) of every class, (C,): how many of its samples count as new.

    Cui, Jia, Lin, Song, Belongie: Class-Balanced Loss Based on Effective Number of Samples
    (CVPR 2019), Eq. 3.
    """
    if not 0 <= beta < 1:
        raise InputError(f"beta is {beta}, but must be at least 0 and below 1.")
    numbers: np.ndarray = (1 - np.power(beta, counts)) / (1 - beta)
    return numbers


@dataclass(frozen=True)
class EffectiveOptions:
    """Effective number of samples."""

    beta: float = option(0.999, "how fast further samples of a class stop counting, in [0, 1)")


@register("class-balanced-loss")
class ClassBalanced(ClassWeighting):
    """Weights (1 - beta) / (1 - beta^L_c): inverse effective number of samples (Cui 2019)."""

    title: ClassVar[str] = "Class-balanced (effective number)"
    summary: ClassVar[str] = "A class weighs as the inverse of its effective number of samples."
    Options: ClassVar[type] = EffectiveOptions

    def unscaled_weights(self) -> np.ndarray:
        return 1 / effective_numbers(self.counts, self.options.beta)
