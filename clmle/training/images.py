"""Images on their way from disk to the network: gathered, augmented, scaled to about [-1, 1]."""

from __future__ import annotations

import numpy as np
import torch


class ImageSource:
    """Rows of a (n, H, W, C) uint8 array as float batches on ``device``.

    On a GPU the array is kept there whole where it takes at most ``share`` of the free memory;
    otherwise rows are gathered from the (memory-mapped) array and sent over.
    """

    def __init__(self, images: np.ndarray, device: torch.device, share: float = 0.6) -> None:
        self.images = images
        self.device = device
        self.resident: torch.Tensor | None = None
        if device.type == "cuda":
            free, _ = torch.cuda.mem_get_info(device)
            if images.nbytes <= share * free:
                self.resident = torch.from_numpy(np.array(images)).to(device)

    def batch(
        self, rows: np.ndarray, generator: np.random.Generator | None = None, mirror: bool = True
    ) -> torch.Tensor:
        """(B, C, H, W) float32 in channels-last memory; augmented where a generator is given."""
        if self.resident is not None:
            index = torch.from_numpy(rows).to(self.device, non_blocking=True)
            pixels = self.resident[index]
        else:
            pixels = torch.from_numpy(self.images[rows])
            if self.device.type == "cuda":
                pixels = pixels.pin_memory()
            pixels = pixels.to(self.device, non_blocking=True)
        if generator is not None:
            pixels = shifted(pixels, generator, mirror)
        # The usual scaling of the face literature: (x - 127.5) / 128.
        return pixels.permute(0, 3, 1, 2).float().sub_(127.5).div_(128.0)


def shifted(
    pixels: torch.Tensor, generator: np.random.Generator, mirror: bool = True, shift: int = 2
) -> torch.Tensor:
    """Move images (B, H, W, C) by up to ``shift`` pixels each, half of them mirrored if wished.

    Pixels that enter from outside repeat the border.
    """
    n, height, width, _ = pixels.shape
    down, right = generator.integers(-shift, shift + 1, size=(2, n, 1))
    rows = np.clip(np.arange(height) + down, 0, height - 1)
    columns = np.clip(np.arange(width) + right, 0, width - 1)
    if mirror:
        mirrored = generator.random(n) < 0.5
        columns[mirrored] = columns[mirrored][:, ::-1]
    device = pixels.device
    rows_t = torch.from_numpy(rows).to(device, non_blocking=True)
    columns_t = torch.from_numpy(columns).to(device, non_blocking=True)
    picked = torch.arange(n, device=device)[:, None, None]
    return pixels[picked, rows_t[:, :, None], columns_t[:, None, :]]
