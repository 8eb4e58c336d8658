"""Minority augmentation: oversampling with additional augmentation of minority images."""

from dataclasses import dataclass

import numpy as np
import torch

from clmle.config import option
from clmle.device import to_device
from clmle.methods._base import Batch, register
from clmle.methods.oversampling import Oversampling


@dataclass(frozen=True)
class AugmentationOptions:
    """Options of minority augmentation."""

    strength: float = option(1.0, "strength of brightness, contrast, noise and erased patch")
    augmented_fraction: float = option(
        0.5, "fraction of the drawn minority images that is augmented", bounds=(0, 1)
    )


@register("minority-augmentation")
class MinorityAugmentation(Oversampling):
    """Class-balanced batches; images of classes below the mean size are augmented further.

    Brightness and contrast change, noise is added and a patch is erased. Only a fraction of the
    draws is augmented: otherwise every image without augmentation would be of a large class, and
    test images have no augmentation.

    Masi and others: Do We Really Need to Collect Millions of Faces for Effective Face Recognition?
    (ECCV 2016) augments faces of identities with few images, by other means.
    """

    title = "Minority augmentation"
    summary = "Oversampling; the repeated minority images are augmented further."
    Options = AugmentationOptions

    def build(self) -> None:
        self.minority = self.counts < self.counts.mean()

    def augment(self, images: torch.Tensor, batch: Batch, step: int) -> torch.Tensor:
        chosen = np.flatnonzero(self.minority[self.labels[batch.indices]])
        rng, strength = self.generator(step, 3), self.options.strength
        chosen = chosen[rng.random(len(chosen)) < self.options.augmented_fraction]
        if len(chosen) == 0:
            return images
        where = to_device(chosen, images.device)
        part = images[where]

        def per_image(values: np.ndarray) -> torch.Tensor:
            return to_device(values, part.device, part.dtype)[:, None, None, None]

        n, size = len(chosen), part.shape[-1]
        # Features come as images of one pixel; they have any scale.
        unit = 1.0 if size > 1 else images.std(dim=0, keepdim=True)
        contrast = per_image(np.exp(rng.normal(0, 0.2 * strength, n)))
        brightness = per_image(rng.normal(0, 0.15 * strength, n))
        noise = to_device(rng.standard_normal(part.shape).astype(np.float32), part.device)
        amount = per_image(rng.uniform(0, 0.1 * strength, n))
        part = part * contrast + unit * (brightness + amount * noise)
        side = max(1, round(0.2 * strength * size)) if size > 1 else 0
        corner = to_device(rng.integers(0, max(1, size - side), size=(2, n)), part.device)
        rows, columns = (
            (torch.arange(length, device=part.device) - start[:, None]) % length < side
            for length, start in zip(part.shape[-2:], corner, strict=True)
        )
        part = part.masked_fill((rows[:, :, None] & columns[:, None, :])[:, None], 0.0)
        images = images.clone()
        images[where] = part
        return images
