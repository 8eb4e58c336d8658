"""Pixels of one image file of any size and mode: RGB, the middle of it, at the size asked for."""

from __future__ import annotations

from pathlib import Path
from typing import IO, Any

import numpy as np

MAX_PIXELS = 100_000_000
# Pillow knows dozens more, and starts other programs for some of them (EPS); what a file is, its
# content says and not its name.
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM")


def read_pixels(
    source: Path | IO[bytes], sides: tuple[int, int] | None = None, *, most: int = MAX_PIXELS
) -> np.ndarray | str:
    """RGB pixels (height, width, 3) of the middle, or why they could not be had.

    ``sides`` is (height, width), or None for the whole image as large as it is. Transparency is
    laid over white, of several frames the first is taken, a camera's rotation is applied. An image
    of more than ``most`` pixels is not decoded, nor one of another format than ``FORMATS``.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    Image.init()  # all formats that may be named below; once a process
    try:
        with Image.open(source, formats=FORMATS) as image:
            if image.width * image.height > most:
                return f"over {most // 10**6} million pixels"
            whole = to_rgb(ImageOps.exif_transpose(image))
            if sides is None or whole.size == sides[::-1]:
                return np.array(whole)
            return np.asarray(ImageOps.fit(whole, sides[::-1]))
    except UnidentifiedImageError:
        return "not an image"
    except Image.DecompressionBombError:
        return "far too many pixels"
    except Exception as error:  # decoders fail in many ways, and one file must not end a reading
        return str(error).split("\n")[0][:80] or "damaged"


def to_rgb(image: Any) -> Any:
    """A Pillow image of any mode as RGB."""
    from PIL import Image

    if image.mode.startswith(("I", "F")):
        values = np.asarray(image, dtype=np.float64)
        top = 65535.0 if image.mode.startswith("I;16") or values.max() > 255 else 255.0
        return Image.fromarray((values / top * 255).clip(0, 255).astype(np.uint8)).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        layer = image.convert("RGBA")
        white = Image.new("RGBA", layer.size, "white")
        return Image.alpha_composite(white, layer).convert("RGB")
    return image.convert("RGB")
