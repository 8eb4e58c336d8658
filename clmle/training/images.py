"""Batches for the network: images, augmented and scaled to about [-1, 1], or rows of features."""

import numpy as np
import torch

from clmle.checks import native
from clmle.device import to_device


class ImageSource:
    """Rows of images (n, H, W, C) uint8, or of features (n, d), as float batches on ``device``.

    If the array takes at most ``max_fraction`` of the free memory of a GPU, it is copied there
    once. Otherwise rows are gathered from the (memory-mapped) array and copied for each batch.
    """

    def __init__(self, images: np.ndarray, device: torch.device, max_fraction: float = 0.6) -> None:
        self.images = images
        self.device = device
        self.resident: torch.Tensor | None = None
        if device.type == "cuda":
            free, _ = torch.cuda.mem_get_info(device)
            if images.nbytes <= max_fraction * free:
                self.resident = torch.from_numpy(native(np.array(images[:]))).to(device)

    def batch(
        self, rows: np.ndarray, generator: np.random.Generator | None = None, mirror: bool = True
    ) -> torch.Tensor:
        """(B, C, H, W) float32 in channels-last memory; augmented if a generator is given.

        Features (B, d, 1, 1) are neither scaled nor augmented.
        """
        if self.resident is not None:
            pixels = self.resident[to_device(rows, self.device)]
        else:
            pixels = to_device(native(self.images[rows]), self.device)
        if pixels.dim() == 2:
            return pixels.float()[:, :, None, None]
        if generator is not None:
            pixels = shifted(pixels, generator, mirror)
        # (x - 127.5) / 128, as usual in face recognition.
        return pixels.permute(0, 3, 1, 2).float().sub_(127.5).div_(128.0)


def shifted(
    pixels: torch.Tensor, generator: np.random.Generator, mirror: bool = True, shift: int = 2
) -> torch.Tensor:
    """Translate images (B, H, W, C) by up to ``shift`` pixels, with the border repeated.

    With ``mirror`` half of the images, chosen at random, are mirrored.
    """
    n, height, width, _ = pixels.shape
    down, right = generator.integers(-shift, shift + 1, size=(2, n, 1))
    rows = np.clip(np.arange(height) + down, 0, height - 1)
    columns = np.clip(np.arange(width) + right, 0, width - 1)
    if mirror:
        mirrored = generator.random(n) < 0.5
        columns[mirrored] = columns[mirrored][:, ::-1]
    device = pixels.device
    rows_t, columns_t = to_device(rows, device), to_device(columns, device)
    picked = torch.arange(n, device=device)[:, None, None]
    return pixels[picked, rows_t[:, :, None], columns_t[:, None, :]]
