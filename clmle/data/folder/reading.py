"""Pixels of the files of a folder, and which of them are copies."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np

from clmle.data.base import Progress
from clmle.data.pixels import GrayRange, gray_range, read_pixels

DARK = 32  # an 8-bit value


@dataclass(frozen=True)
class FolderImages:
    """Pixels (n, height, width, 3) uint8 of files, and why some could not be read, by index.

    ``copies`` is the index of the first image with equal pixels, for each image.
    """

    images: np.ndarray
    problems: dict[int, str]
    copies: np.ndarray
    warnings: tuple[str, ...] = ()


def read_images(
    folder: Path, files: list[str], sides: tuple[int, int], progress: Progress | None = None
) -> FolderImages:
    """Decode image files to one size; gray values of more than 8 bits have one scale."""
    gray = gray_range(folder / file for file in files)
    images = np.zeros((len(files), *sides, 3), dtype=np.uint8)
    problems: dict[int, str] = {}
    with ThreadPoolExecutor() as pool:
        read = pool.map(lambda file: read_pixels(folder / file, sides, gray=gray), files)
        for i, pixels in enumerate(read):
            if isinstance(pixels, str):
                problems[i] = pixels
            else:
                images[i] = pixels
            if progress is not None and (i % 50 == 49 or i + 1 == len(files)):
                progress(i + 1, len(files))
    sentences = [_gray_sentence(gray)] if gray else []
    if len(problems) < len(files) and images.max(initial=0) < DARK:
        sentences.append(
            f"All images are almost black: no value is above {images.max()} of 255; scale the "
            "values to 0 to 255 before they are saved."
        )
    return FolderImages(images, problems, copies_of(images), tuple(sentences))


def _gray_sentence(gray: GrayRange) -> str:
    return (
        f"{gray.n_images:,} images have gray values of more than 8 bits; {gray.low:g} becomes "
        f"black and {gray.high:g} white in all of them."
    )


def copies_of(images: np.ndarray) -> np.ndarray:
    """For each image (n, height, width, channels), the index of the first with equal pixels.

    Images of a single color are no copies of each other. Features (n, d) are compared alike.
    """
    first: dict[bytes, int] = {}
    copies = np.arange(len(images))
    for i, image in enumerate(images):
        j = first.setdefault(blake2b(image.tobytes(), digest_size=16).digest(), i)
        one = image[0, 0] if image.ndim == 3 else image[0]
        if j != i and (image != one).any():
            copies[i] = j
    return copies
