"""Over-sampling that shows no image too often: even classes, but for those too small for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch.nn.functional as F

from clmle.config import option
from clmle.methods.base import Batch, Loss, Outputs, register
from clmle.methods.softmax import Softmax
from clmle.samplers.proportions import apportion, class_proportions


@dataclass(frozen=True)
class BoundedOptions:
    """How small a class may be before it is drawn more seldom than the others."""

    max_class_fraction: float = option(0.4, "the largest share of a class's images in one batch")


@register("sampling-without-replacement")
class BoundedSampling(Softmax):
    """Class-balanced batches that repeat no image, with logits adjusted for the class proportions.

    A batch holds at most ``max_class_fraction`` of the images of a class; the logits are adjusted
    for the resulting class proportions (balanced softmax, Ren and others, NeurIPS 2020). These are
    the classes and the head loss of ``clmle``, without clusters.
    """

    title: ClassVar[str] = "Class-balanced sampling without replacement"
    summary: ClassVar[str] = (
        "Class-balanced batches that hold only a part of the images of a small class."
    )
    Options: ClassVar[type] = BoundedOptions
    corrects_proportions: ClassVar[bool] = True

    def class_proportions(self) -> np.ndarray:
        return class_proportions(self.counts, 0.0, self.step_size, self.options.max_class_fraction)

    def sample_batch(self, step: int) -> Batch:
        generator = self.generator(step)
        numbers = apportion(self.class_proportions(), self.batch_size, generator)
        rows = []
        for c in np.flatnonzero(numbers):
            members = np.flatnonzero(self.labels == c)
            again = numbers[c] > len(members)
            rows.append(generator.choice(members, numbers[c], replace=again))
        return Batch(np.concatenate(rows))

    def loss(self, outputs: Outputs, batch: Batch) -> Loss:
        shares = (
            self.class_proportions() if batch.class_proportions is None else batch.class_proportions
        )
        # A class without any image has no share, and no label asks for it.
        prior = self.per_class(np.log(np.maximum(shares, 1e-30)), outputs.logits)
        loss = F.cross_entropy(outputs.logits + prior, outputs.labels)
        return Loss(loss, {"softmax": loss.detach()})
