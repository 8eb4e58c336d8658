"""Re-sampling: oversampling the minority, undersampling the majority."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from clmle.methods.base import Batch, register
from clmle.methods.softmax import Softmax
from clmle.samplers.class_balanced import shuffled_indices
from clmle.samplers.proportions import class_proportions


@register("oversampling")
class OverSampling(Softmax):
    """Cross-entropy on batches drawn evenly over classes."""

    title: ClassVar[str] = "Over-sampling"
    summary: ClassVar[str] = "Cross-entropy on batches that hold every class equally often."
    sampling: ClassVar[str] = "class-balanced"


@register("undersampling")
class DownSampling(Softmax):
    """Cross-entropy on as many samples of every class as the smallest has, drawn once."""

    title: ClassVar[str] = "Down-sampling"
    summary: ClassVar[str] = "Cross-entropy on a random subset with as many samples of every class."

    def class_proportions(self) -> np.ndarray:
        return class_proportions(self.counts)

    def sample_batch(self, step: int) -> Batch:
        from imblearn.under_sampling import RandomUnderSampler

        sampler = RandomUnderSampler(random_state=self.seed)
        sampler.fit_resample(np.zeros((len(self.labels), 1)), self.labels)
        kept = np.sort(sampler.sample_indices_)
        return Batch(kept[shuffled_indices(len(kept), self.batch_size, step, self.seed)])
