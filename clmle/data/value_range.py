"""Images with values of more than 8 bits: which of them become black and white."""

import io
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

DEPTHS = (1, 255, 1023, 4095, 16383, 65535)  # largest values of bits, and of 8 to 16 bits
OTHER_ORDER = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}
ORIENTATION = 0x0112  # a tag of EXIF

ValueRange = tuple[float, float]  # black and white
Shared = ValueRange | Callable[[], ValueRange | None] | None


def range_of(low: float, high: float) -> ValueRange:
    """From 0 to the largest value of a usual depth; all values, if some are negative."""
    # Real numbers exceed their range a little where images were resized.
    slack = 0.0 if low.is_integer() and high.is_integer() else 0.1
    if low < -slack:
        return (-1.0, 1.0) if low >= -1 - slack and high <= 1 + slack else (low, high)
    return 0.0, next((float(top) for top in DEPTHS if high <= top * (1 + slack)), high)


def is_deep(image: Any) -> bool:
    """Whether a Pillow image that is not loaded yet has values of more than 8 bits."""
    tiles = getattr(image, "tile", ())
    deep = image.mode.startswith(("I", "F")) or any(";16" in str(tile[3]) for tile in tiles)
    return deep or _in_planes(image)


def _in_planes(image: Any) -> bool:
    """Whether a TIFF file has one plane of 16-bit values for each color."""
    tags = getattr(image, "tag_v2", {}) if getattr(image, "tile", ()) else {}
    return bool(tags.get(284) == 2 and len(tags.get(258, ())) > 1 and max(tags[258]) > 8)


def extremes(values: np.ndarray) -> ValueRange:
    """Smallest and largest of :func:`deep_values`, without transparency."""
    colors = values[..., :-1] if values.ndim > 2 and values.shape[-1] in (2, 4) else values
    finite = colors[np.isfinite(colors)]
    return float(finite.min(initial=np.inf)), float(finite.max(initial=-np.inf))


def deep_values(image: Any) -> np.ndarray:
    """Values (height, width) or (height, width, channels) of a deep image."""
    if image.mode.startswith(("I", "F")):
        return np.asarray(image, dtype=np.float64)
    if _in_planes(image):
        raise ValueError("16-bit colors in separate planes; save them pixel by pixel")
    from PIL import Image

    # Pillow loads the high bytes of 16-bit colors. In the other byte order it loads the low ones.
    place = image.fp.tell()
    image.fp.seek(0)
    second = Image.open(io.BytesIO(image.fp.read()), formats=[image.format])
    image.fp.seek(place)
    if "LA;16B" in str(second.tile):  # the only byte order: read as four channels of 8 bits
        second._mode = "RGBA"
        second.tile = [tile._replace(args="RGBA") for tile in second.tile]
        pairs = np.asarray(second, dtype=np.float64)
        return 256 * pairs[..., ::2] + pairs[..., 1::2]
    second.tile = [tile._replace(args=_swapped(tile.args)) for tile in second.tile]
    return 256 * np.asarray(image, dtype=np.float64) + np.asarray(second, dtype=np.float64)


def _swapped(args: Any) -> Any:
    """Arguments of a decoder with the other byte order."""
    if isinstance(args, str):
        start, deep, order = args.partition(";16")
        return f"{start};16{OTHER_ORDER[order]}" if deep else args
    return tuple(_swapped(arg) if isinstance(arg, str) else arg for arg in args)


def eight_bit(image: Any, shared: Shared = None) -> Any:
    """A Pillow image with 8 bits; ``shared`` is the range of the data set, or finds it."""
    if not is_deep(image):
        return image
    from PIL import Image

    found = shared() if callable(shared) else shared
    values = deep_values(image)
    low, high = found or range_of(*extremes(values))
    values = (values - low) / max(high - low, 1e-12) * 255
    values = np.nan_to_num(values, nan=0.0, posinf=255.0, neginf=0.0).clip(0, 255)
    scaled = Image.fromarray(values.astype(np.uint8))
    scaled.getexif()[ORIENTATION] = image.getexif().get(ORIENTATION, 1)
    return scaled
