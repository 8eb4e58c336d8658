"""Pixels of one image file of any size and mode: RGB, the middle of it, at the size asked for."""

from __future__ import annotations

import threading
from contextlib import nullcontext
from pathlib import Path
from typing import IO, Any

import numpy as np

MAX_PIXELS = 100_000_000
LARGE = 20_000_000  # pixels of an image that is decoded with no other large one beside it
LARGE_ONES = threading.Lock()
MAX_BYTES = 100_000_000
TOO_LARGE = f"over {MAX_BYTES // 10**6} MB"
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

    if isinstance(source, Path) and not source.is_file():  # whoever opens a pipe waits for it
        return "no file"
    Image.init()  # all formats that may be named below; once a process
    try:
        with Image.open(source, formats=FORMATS) as image:
            if image.width * image.height > most:
                return f"over {most // 10**6} million pixels"
            with LARGE_ONES if image.width * image.height > LARGE else nullcontext():
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


def shape_of(source: Path | IO[bytes]) -> tuple[int, int] | None:
    """Height and width of an image file, of which only the head is read; None of any other."""
    from PIL import Image

    if isinstance(source, Path) and not source.is_file():
        return None
    Image.init()
    try:
        with Image.open(source, formats=FORMATS) as image:
            return (image.height, image.width) if image.height and image.width else None
    except Exception:  # as in read_pixels
        return None


def content(path: Path) -> bytes:
    """All bytes of an image file, or an error where it is no file or far too large for one."""
    if not path.is_file():
        raise FileNotFoundError(path)
    if path.stat().st_size > MAX_BYTES:
        raise ValueError(TOO_LARGE)
    return path.read_bytes()


def unpacked(member: IO[bytes]) -> bytes:
    """All bytes of a file in an archive, whatever size the archive says it has."""
    found = member.read(MAX_BYTES + 1)
    if len(found) > MAX_BYTES:
        raise ValueError(TOO_LARGE)
    return found


def to_rgb(image: Any) -> Any:
    """A Pillow image of any mode as RGB."""
    from PIL import Image

    if image.mode.startswith(("I", "F")):
        values = np.nan_to_num(np.asarray(image, dtype=np.float64))
        top = 65535.0 if image.mode.startswith("I;16") or values.max() > 255 else 255.0
        return Image.fromarray((values / top * 255).clip(0, 255).astype(np.uint8)).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        layer = image.convert("RGBA")
        white = Image.new("RGBA", layer.size, "white")
        return Image.alpha_composite(white, layer).convert("RGB")
    return image.convert("RGB")
