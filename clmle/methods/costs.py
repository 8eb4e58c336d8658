"""Cost-sensitive cross-entropy: a class weighs more the rarer it is, by four schemes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch

from clmle.config import option
from clmle.errors import InputError
from clmle.methods.base import Outputs, register
from clmle.methods.softmax import NoOptions, Softmax


@register("cost-sensitive")
class CostSensitive(Softmax):
    """Cross-entropy weighted by inverse class frequency: L / (C L_c)."""

    title: ClassVar[str] = "Cost-sensitive"
    summary: ClassVar[str] = "Cross-entropy in which a class weighs as the inverse of its share."
    Options: ClassVar[type] = NoOptions

    def class_weights(self, outputs: Outputs) -> torch.Tensor | None:
        weights = self.costs()
        # Over the training set the mean weight of a sample is 1, whatever the scheme.
        mean = float((weights * self.counts).sum() / self.counts.sum())
        return self.per_class(weights / mean, outputs.logits)

    def costs(self) -> np.ndarray:
        """Weights of the classes, (C,), up to a factor."""
        return 1 / self.counts


@register("cost-relative")
class RelativeCost(CostSensitive):
    """Weights 1 - L_c / L: what the other classes hold of the set."""

    title: ClassVar[str] = "Cost-sensitive, relative frequency"
    summary: ClassVar[str] = "A class weighs as the share of all the other classes."

    def costs(self) -> np.ndarray:
        costs: np.ndarray = 1 - self.counts / self.counts.sum()
        return costs


@register("cost-median")
class MedianCost(CostSensitive):
    """Median-frequency balancing with its weights bounded at 10 (Eigen and Fergus 2015).

    median(L) / L_c; with two classes the unbounded weights are those of the inverse scheme.
    """

    title: ClassVar[str] = "Cost-sensitive, median frequency"
    summary: ClassVar[str] = "A class weighs the median class size over its own, at most 10."

    def costs(self) -> np.ndarray:
        costs: np.ndarray = np.minimum(np.median(self.counts) / self.counts, 10.0)
        return costs


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
class ClassBalanced(CostSensitive):
    """Weights (1 - beta) / (1 - beta^L_c): inverse effective number of samples (Cui 2019)."""

    title: ClassVar[str] = "Class-balanced (effective number)"
    summary: ClassVar[str] = "A class weighs as the inverse of its effective number of samples."
    Options: ClassVar[type] = EffectiveOptions

    def costs(self) -> np.ndarray:
        return 1 / effective_numbers(self.counts, self.options.beta)
