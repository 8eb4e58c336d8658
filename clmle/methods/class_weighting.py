"""Class weighting: cross-entropy in which a rarer class has a larger weight."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch

from clmle.config import option
from clmle.methods._base import Outputs, register
from clmle.methods.softmax import Softmax


@dataclass(frozen=True)
class ClassWeightingOptions:
    """Options of class weighting."""

    weights: str = option(
        "inverse",
        "inverse: 1 / L_c; relative: 1 - L_c / L; median: median(L) / L_c, at most 10",
        ("inverse", "relative", "median"),
    )


@register("class-weighting")
class ClassWeighting(Softmax):
    """Cross-entropy with one weight per class, whose mean over the training images is 1.

    With L_c images of class c and L images in all, the weights are in proportion to 1 / L_c
    ("inverse"), 1 - L_c / L ("relative"), or min(median(L) / L_c, 10) ("median").

    Eigen, Fergus: Predicting Depth, Surface Normals and Semantic Labels with a Common Multi-Scale
    Convolutional Architecture (ICCV 2015), section 6.3.2, for "median".
    """

    title = "Class weighting"
    summary = "Cross-entropy in which a rarer class has a larger weight."
    Options: ClassVar[type] = ClassWeightingOptions

    def class_weights(self, outputs: Outputs) -> torch.Tensor | None:
        weights = self.unscaled_weights()
        mean = float((weights * self.counts).sum() / self.counts.sum())
        return self.per_class(weights / mean, outputs.logits)

    def unscaled_weights(self) -> np.ndarray:
        """Return the weights of the classes, (C,), up to a factor."""
        weights: dict[str, np.ndarray] = {
            "inverse": 1 / self.counts,
            "relative": 1 - self.counts / self.counts.sum(),
            "median": np.minimum(np.median(self.counts) / self.counts, 10.0),
        }
        return weights[self.options.weights]
