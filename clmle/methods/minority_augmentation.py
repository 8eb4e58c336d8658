"""Over-sampling whose minority images are changed further, so that no copy comes back alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch

from clmle.config import option
from clmle.data.base import Task
from clmle.errors import InputError
from clmle.methods.base import Batch, register
from clmle.methods.softmax import Softmax


@dataclass(frozen=True)
class AugmentationOptions:
    """Strength of the changes."""

    strength: float = option(1.0, "of light, contrast, noise and the patch that is covered")
    augmented_fraction: float = option(0.5, "of the minority's draws that are changed, from 0 to 1")


@register("minority-augmentation")
class MinorityAugmentation(Softmax):
    """Evenly drawn batches; images of classes below the mean size get more augmentation.

    Light and contrast change, noise is added and a patch is covered (in image space, as Masi
    and others 2016 do for faces with few images). Half of the draws stay as they are: were all
    changed, an image without a change would never be of the minority, and those to be judged have
    none.
    """

    title: ClassVar[str] = "Minority augmentation"
    summary: ClassVar[str] = "Over-sampling; the copies of minority images are all made to differ."
    Options: ClassVar[type] = AugmentationOptions
    sampling: ClassVar[str] = "class-balanced"

    def __init__(
        self, options: Any, task: Task, batch_size: int, seed: int, feature_dim: int = 64
    ) -> None:
        super().__init__(options, task, batch_size, seed, feature_dim)
        self.minority = self.counts < self.counts.mean()
        if not 0 <= options.augmented_fraction <= 1:
            raise InputError(
                f"augmented_fraction is {options.augmented_fraction}, but must be from 0 to 1."
            )

    def augment(self, images: torch.Tensor, batch: Batch, step: int) -> torch.Tensor:
        chosen = np.flatnonzero(self.minority[self.labels[batch.indices]])
        rng, strength = self.generator(step, 3), self.options.strength
        chosen = chosen[rng.random(len(chosen)) < self.options.augmented_fraction]
        if len(chosen) == 0:
            return images
        where = torch.from_numpy(chosen).to(images.device)
        part = images[where]

        def each(values: np.ndarray) -> torch.Tensor:
            column = torch.as_tensor(values, dtype=part.dtype, device=part.device)
            return column[:, None, None, None]

        n, size = len(chosen), part.shape[-1]
        contrast = each(np.exp(rng.normal(0, 0.2 * strength, n)))
        light = each(rng.normal(0, 0.15 * strength, n))
        noise = rng.standard_normal(part.shape).astype(np.float32)
        part = (
            part * contrast
            + light
            + each(rng.uniform(0, 0.1 * strength, n)) * (torch.from_numpy(noise).to(part.device))
        )
        side = max(1, round(0.2 * strength * size))
        corner = rng.integers(0, max(1, size - side), size=(2, n))
        for i in range(n):
            y, x = corner[:, i]
            part[i, :, y : y + side, x : x + side] = 0.0
        images = images.clone()
        images[where] = part
        return images
