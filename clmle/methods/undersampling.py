"""Undersampling: as many images of every class as the smallest class has."""

import numpy as np

from clmle.methods._base import Batch, register
from clmle.methods.softmax import Softmax
from clmle.samplers.class_balanced import shuffled_indices
from clmle.samplers.proportions import class_proportions


@register("undersampling")
class Undersampling(Softmax):
    """Cross-entropy on a random subset, drawn once, with equally many images of every class.

    Japkowicz, Stephen: The Class Imbalance Problem (Intelligent Data Analysis 6, 2002).
    """

    title = "Undersampling"
    summary = "Cross-entropy on a random subset with equally many images of every class."

    def class_proportions(self) -> np.ndarray:
        return class_proportions(self.counts)

    def sample_batch(self, step: int) -> Batch:
        from imblearn.under_sampling import RandomUnderSampler

        sampler = RandomUnderSampler(random_state=self.seed)
        sampler.fit_resample(np.zeros((len(self.labels), 1)), self.labels)
        kept = np.sort(sampler.sample_indices_)
        return Batch(kept[shuffled_indices(len(kept), self.batch_size, step, self.seed)])
