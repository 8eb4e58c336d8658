"""Arrays of images in the layouts and types that people store, as (n, h, w, channels) uint8."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from clmle.data.value_range import range_of
from clmle.errors import InputError

CHANNELS = (1, 3, 4)


def is_images(shape: Sequence[int]) -> bool:
    """Whether an array of this shape may be images: (n, h, w), with channels last or first."""
    return len(shape) == 3 or (len(shape) == 4 and (shape[-1] in CHANNELS or shape[1] in CHANNELS))


def as_pixels(arrays: Sequence[np.ndarray], what: str) -> tuple[list[np.ndarray], list[str]]:
    """The arrays as (n, h, w, 1 or 3) uint8 by one rule for all, and sentences about it.

    Numbers from 0 to 255 stay as they are, floats from 0 to 1 and integers of more than 8 bits are
    scaled. Numbers that are no gray values, such as normalized ones, are refused.
    """
    arrays = [_channels_last(np.asarray(array), what) for array in arrays]
    if all(array.dtype == np.uint8 for array in arrays):
        return arrays, []
    filled = [array for array in arrays if array.size]
    low = min((float(array.min()) for array in filled), default=0.0)
    high = max((float(array.max()) for array in filled), default=0.0)
    if not (np.isfinite(low) and np.isfinite(high)) or low < 0:
        raise InputError(
            f"The pixels of {what} are from {low:g} to {high:g}, but must be 0 to 255 or 0 to 1; "
            "store them as they are before they are normalized."
        )
    is_float = any(array.dtype.kind == "f" for array in arrays)
    is_bool = all(array.dtype == bool for array in arrays)
    top = 1.0 if is_bool or (is_float and high <= 1) else range_of(0.0, max(high, 255.0))[1]
    sentences = [f"Pixels of {what} are scaled: {top:g} becomes white."] if top > 255 else []
    # Not all at once: the numbers may have eight times the size of the pixels.
    scaled = [np.empty(array.shape, dtype=np.uint8) for array in arrays]
    for array, target in zip(arrays, scaled, strict=True):
        for start in range(0, len(array), 1024):
            part = array[start : start + 1024].astype(np.float64)
            target[start : start + 1024] = np.round(part * (255 / top))
    return scaled, sentences


def _channels_last(array: np.ndarray, what: str) -> np.ndarray:
    if array.dtype.kind not in "uifb":
        raise InputError(f"The pixels of {what} are {array.dtype}, but must be numbers.")
    if array.ndim == 3:
        array = array[..., None]
    elif array.ndim != 4 or not is_images(array.shape):
        raise InputError(
            f"The images of {what} have the shape {array.shape}, but must be (n, height, width) or "
            "(n, height, width, channels) with 1 or 3 channels; volumes are not read."
        )
    elif array.shape[-1] not in CHANNELS:
        array = np.moveaxis(array, 1, -1)
    if 0 in array.shape[1:]:
        raise InputError(f"The images of {what} have the shape {array.shape}, but need pixels.")
    return array


def resized(images: np.ndarray, sides: tuple[int, int]) -> np.ndarray:
    """Images (n, h, w, channels) at another size: the largest centered part is resized.

    Transparent pixels are blended with white.
    """
    from PIL import Image, ImageOps

    from clmle.data.pixels import to_rgb

    channels = images.shape[-1]
    if channels != 4 and images.shape[1:3] == sides:
        return np.ascontiguousarray(images)
    found = np.empty((len(images), *sides, 1 if channels == 1 else 3), dtype=np.uint8)
    for i, pixels in enumerate(images):
        image: Any = Image.fromarray(pixels[..., 0] if channels == 1 else pixels)
        image = image if channels == 1 else to_rgb(image)
        fitted = image if image.size == sides[::-1] else ImageOps.fit(image, sides[::-1])
        found[i] = np.asarray(fitted).reshape(found.shape[1:])
    return found
