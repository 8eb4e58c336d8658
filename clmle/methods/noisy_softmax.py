"""Noisy softmax: annealed noise is subtracted from the logit of the true class."""

from dataclasses import dataclass

import numpy as np
import torch

from clmle.config import option
from clmle.losses.noisy import noisy_logits
from clmle.methods._base import Batch, Outputs, register
from clmle.methods._class_weights import ClassWeights
from clmle.methods.softmax import SamplingOptions


@dataclass(frozen=True)
class NoisySoftmaxOptions(SamplingOptions):
    """Options of noisy softmax."""

    alpha: float = option(0.1, "strength of the annealed noise")


@register("noisy-softmax")
class NoisySoftmax(ClassWeights):
    """Softmax whose true logit is reduced by annealed noise, to delay saturation (Chen 2017)."""

    group = "margins and cosines"
    title = "Noisy softmax"
    summary = "Softmax with noise on the true logit, which delays saturation."
    reads_any_batch = False  # the noise is drawn with the batch
    Options = NoisySoftmaxOptions
    unit = False

    def sample_batch(self, step: int) -> Batch:
        batch = super().sample_batch(step)
        noise = self.generator(step, 7).standard_normal(len(batch.indices)).astype(np.float32)
        return Batch(batch.indices, noise)

    def logits(self, outputs: Outputs, batch: Batch) -> torch.Tensor:
        noise = self.per_class(batch.extra, outputs.features)
        return noisy_logits(
            outputs.features, self.linear.weight, outputs.labels, noise, self.options.alpha
        )
