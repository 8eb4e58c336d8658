"""Over-sampling that shows no image too often: even classes, but for those too small for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch.nn.functional as F

from clmle.config import option
from clmle.methods.base import Batch, Loss, Outputs, register
from clmle.methods.logit_adjustment import ThresholdMoving
from clmle.samplers.hard_cluster import apportion, class_proportions


@dataclass(frozen=True)
class BoundedOptions:
    """How small a class may be before it is drawn more seldom than the others."""

    max_class_fraction: float = option(0.4, "the largest share of a class's images in one batch")


@register("sampling-without-replacement")
class BoundedSampling(ThresholdMoving):
    """Classes drawn and logits corrected as in ``clmle``, but no clusters: what are these worth?

    Even classes, but a batch holds at most a share of a class's images; logits are corrected for
    that (balanced softmax, Ren and others, NeurIPS 2020), offsets are fitted on validation data.
    """

    title: ClassVar[str] = "Bounded oversampling + threshold moving"
    summary: ClassVar[str] = "Even classes, but a small one is not shown whole in every batch."
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
