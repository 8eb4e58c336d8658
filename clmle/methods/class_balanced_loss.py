"""Class-balanced loss: classes weighted by their effective number of samples."""

from dataclasses import dataclass

import numpy as np

from clmle.config import option
from clmle.methods._base import register
from clmle.methods.class_weighting import ClassWeighting

BETA = (0, 0.999_999_999)


@dataclass(frozen=True)
class EffectiveNumberOptions:
    """Options of the class-balanced loss."""

    beta: float = option(0.999, "closer to 1: additional images of a class count more", bounds=BETA)


def effective_numbers(counts: np.ndarray, beta: float) -> np.ndarray:
    """Return (1 - beta^L_c) / (1 - beta) of class sizes L (C,): effective numbers of samples."""
    return np.asarray((1 - np.power(beta, counts)) / (1 - beta))


@register("class-balanced-loss")
class ClassBalancedLoss(ClassWeighting):
    """Cross-entropy with class weights in proportion to (1 - beta) / (1 - beta^L_c).

    Cui, Jia, Lin, Song, Belongie: Class-Balanced Loss Based on Effective Number of Samples (CVPR
    2019), Eq. 3.
    """

    title = "Class-balanced loss (effective number)"
    summary = "Cross-entropy weighted by the inverse effective number of samples of a class."
    Options = EffectiveNumberOptions

    def unscaled_weights(self) -> np.ndarray:
        return 1 / effective_numbers(self.counts, self.options.beta)
