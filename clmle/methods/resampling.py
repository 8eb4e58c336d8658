"""Re-sampling: over-sampling the minority, down-sampling the majority."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from clmle.methods.base import Batch, register
from clmle.methods.sampling import even_shares, shuffled_rows
from clmle.methods.softmax import Softmax


@register("over-sampling")
class OverSampling(Softmax):
    """Cross-entropy on batches drawn evenly over classes."""

    title: ClassVar[str] = "Over-sampling"
    summary: ClassVar[str] = "Cross-entropy on batches that hold every class equally often."
    sampling: ClassVar[str] = "even"


@register("down-sampling")
class DownSampling(Softmax):
    """Cross-entropy on as many samples of every class as the smallest has, drawn once."""

    title: ClassVar[str] = "Down-sampling"
    summary: ClassVar[str] = "Cross-entropy on a random subset with as many samples of every class."

    def class_shares(self) -> np.ndarray:
        return even_shares(self.counts)

    def draw(self, step: int) -> Batch:
        from imblearn.under_sampling import RandomUnderSampler

        sampler = RandomUnderSampler(random_state=self.seed)
        sampler.fit_resample(np.zeros((len(self.labels), 1)), self.labels)
        kept = np.sort(sampler.sample_indices_)
        return Batch(kept[shuffled_rows(len(kept), self.batch_size, step, self.seed)])
