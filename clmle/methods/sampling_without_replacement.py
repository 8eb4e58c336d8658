"""Class-balanced sampling without replacement."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from clmle.config import option
from clmle.methods._base import Batch, Outputs, register
from clmle.methods.softmax import Softmax
from clmle.samplers.proportions import apportion, class_proportions


@dataclass(frozen=True)
class WithoutReplacementOptions:
    """Options of sampling without replacement."""

    max_class_fraction: float = option(
        0.4, "largest fraction of the images of a class in one batch", bounds=(0, 1), above=True
    )


@register("sampling-without-replacement")
class SamplingWithoutReplacement(Softmax):
    """Class-balanced batches that repeat no image, and logits adjusted for the class proportions.

    A batch holds at most ``max_class_fraction`` of the images of a class, so a small class is drawn
    less often than the others; balanced softmax corrects for that. Batches and head loss are those
    of ``clmle`` without clusters.

    Ren and others: Balanced Meta-Softmax for Long-Tailed Visual Recognition (NeurIPS 2020), Eq. 3,
    for the loss.
    """

    title = "Class-balanced sampling without replacement"
    summary = "Class-balanced batches that hold only a part of the images of a small class."
    Options = WithoutReplacementOptions
    corrects_proportions = True

    @classmethod
    def uses_all_parameters(cls, options: Any) -> bool:
        return True

    def class_proportions(self) -> np.ndarray:
        return class_proportions(self.counts, 0.0, self.step_size, self.options.max_class_fraction)

    def sample_batch(self, step: int) -> Batch:
        generator = self.generator(step)
        numbers = apportion(self.class_proportions(), self.batch_size, generator)
        indices = []
        for c in np.flatnonzero(numbers):
            members = np.flatnonzero(self.labels == c)
            replace = numbers[c] > len(members)
            indices.append(generator.choice(members, numbers[c], replace=replace))
        return Batch(np.concatenate(indices))

    def logits(self, outputs: Outputs, batch: Batch) -> torch.Tensor:
        proportions = batch.class_proportions
        if proportions is None:
            proportions = self.class_proportions()
        # The proportion of a class without images is 0, and no label needs it.
        return outputs.logits + self.per_class(
            np.log(np.maximum(proportions, 1e-30)), outputs.logits
        )
