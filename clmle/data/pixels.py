"""Decoding of single image files: RGB, cropped, at the requested size."""

import io
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import IO, Any

import numpy as np

from clmle.data.value_range import (
    Shared,
    ValueRange,
    deep_values,
    eight_bit,
    extremes,
    is_deep,
    range_of,
)
from clmle.errors import InputError

MAX_PIXELS = 100_000_000
LARGE = 20_000_000  # pixels; only one image above this size is decoded at a time
LARGE_LOCK = Lock()
MAX_BYTES = 100_000_000
ROOM = 256 * 2**20  # bytes that a small file may take; a large one takes up to 8 times its size
MAX_SCANS = 64  # cameras and programs write one to about ten
SIDE = 1024  # the largest image_size
TOO_LARGE = f"over {MAX_BYTES // 10**6} MB"
# Pillow reads dozens more, some of them with external programs (EPS). The format is recognized by
# the content of a file, not by its name.
SHALLOW = {".jpg", ".jpeg", ".jpe", ".jif", ".jfif", ".gif", ".bmp", ".dib", ".webp"}
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM")

Source = Path | IO[bytes]


def check_image_size(
    image_size: int | tuple[int, int], least: int = 8, most: int = 1024
) -> tuple[int, int]:
    """Height and width of ``image_size``, a side or both; an InputError if out of range."""
    sides = (image_size, image_size) if isinstance(image_size, int) else tuple(image_size)
    if len(sides) != 2 or not all(isinstance(s, int) and least <= s <= most for s in sides):
        raise InputError(f"image_size is {image_size}, but must be from {least} to {most} pixels.")
    return sides[0], sides[1]


def decode(
    source: Source, convert: Callable[[Any], np.ndarray | str], most: int = MAX_PIXELS
) -> np.ndarray | str:
    """The result of ``convert`` on the Pillow image, or the reason why it cannot be decoded."""
    from PIL import Image, UnidentifiedImageError

    Image.init()  # registers all of FORMATS; has an effect once in a process
    try:
        with Image.open(source, formats=FORMATS) as image:
            n_pixels = image.width * image.height
            if n_pixels > most:
                return f"over {most // 10**6} million pixels"
            room = max(ROOM, 8 * _n_bytes(source))
            if n_pixels * _bytes_of_pixel(image) > room and image.format == "JPEG":
                image.draft("RGB", (SIDE, SIDE))  # decodes at a half or less
                n_pixels = image.width * image.height
            if n_pixels * _bytes_of_pixel(image) > room:
                return f"{n_pixels / 1e6:,.0f} million pixels, far too many for a file of its size"
            if image.format == "JPEG" and image.fp and _n_scans(image.fp) > MAX_SCANS:
                return f"over {MAX_SCANS} scans, which take minutes to decode"
            with LARGE_LOCK if n_pixels > LARGE else nullcontext():
                return convert(image)
    except UnidentifiedImageError:
        return "not an image"
    except Image.DecompressionBombError:
        return "far too many pixels"
    except Exception as error:  # decoders raise many types; one file must not end the reading
        return str(error).split("\n")[0][:80] or "damaged"


def _n_bytes(source: Source) -> int:
    if isinstance(source, Path):
        return source.stat().st_size
    here = source.tell()
    size = source.seek(0, io.SEEK_END)
    source.seek(here)
    return size


def _bytes_of_pixel(image: Any) -> int:
    """Bytes that decoding and conversion to RGB take for a pixel."""
    return (24 if image.mode.startswith(("I", "F")) else 96) if is_deep(image) else 8


def _n_scans(file: IO[bytes]) -> int:
    """Scans of a JPEG file: each of them passes over all pixels."""
    here = file.tell()
    file.seek(0)
    found = file.read().count(b"\xff\xda")
    file.seek(here)
    return found


class SharedRange:
    """One range for all images of a data set with more than 8 bits, found when one is decoded.

    It keeps dark images darker than bright ones. A ``given`` range is kept.
    """

    def __init__(
        self, sources: Callable[[], Iterable[Source]], given: ValueRange | None = None
    ) -> None:
        self.sources, self.given, self.lock = sources, given, Lock()

    def __call__(self) -> ValueRange | None:
        return self.given or (range_of(*self.own[:2]) if self.own[2] else None)

    @property
    def own(self) -> tuple[float, float, int]:
        """Smallest and largest value, and number of the deep images."""
        with self.lock:  # several threads decode
            return self._own

    @cached_property
    def _own(self) -> tuple[float, float, int]:
        from PIL import Image

        Image.init()
        low, high, n = np.inf, -np.inf, 0
        for source in self.sources():
            if isinstance(source, Path) and not source.is_file():
                continue
            found = decode(source, _extremes)
            if not isinstance(found, str):
                low, high, n = min(low, float(found[0])), max(high, float(found[1])), n + 1
        return low, high, n


def _extremes(image: Any) -> np.ndarray | str:
    return np.array(extremes(deep_values(image))) if is_deep(image) else "not deep"


def read_pixels(
    source: Source,
    sides: tuple[int, int] | None = None,
    *,
    most: int = MAX_PIXELS,
    shared: Shared = None,
) -> np.ndarray | str:
    """Decode an image file to RGB.

    The largest centered part with the proportions of ``sides`` is resized. Transparent pixels are
    blended with white, the first of several frames is taken, the orientation of a camera is
    applied. Formats other than PNG, JPEG, WebP, BMP, GIF, TIFF and PPM are not decoded. Values of
    more than 8 bits are scaled by ``shared``, the range of the data set or a function that finds
    it; without it, by the depth that the image's own values have.
    """
    from PIL import ImageOps

    def convert(image: Any) -> np.ndarray:
        whole = to_rgb(ImageOps.exif_transpose(eight_bit(image, shared)))
        if sides is None or whole.size == sides[::-1]:
            return np.array(whole)
        return np.asarray(ImageOps.fit(whole, sides[::-1]))

    if isinstance(source, Path) and not source.is_file():  # opening a pipe would block
        return "no file"
    return decode(source, convert, most)


@dataclass(frozen=True)
class Crop:
    """The region of the face in photographs that are all aligned in the same way.

    ``photograph`` is their (height, width), whose proportions are checked; ``box`` (left, top,
    right, bottom) is the part that is kept, in fractions of width and height.
    """

    photograph: tuple[int, int]
    box: tuple[float, float, float, float]
    title: str

    def read(self, source: Callable[[], IO[bytes]], sides: tuple[int, int]) -> np.ndarray | str:
        """The face (height, width, 3) uint8, or the reason why it cannot be read."""
        from PIL import Image

        height, width = self.photograph
        left, top, right, bottom = self.box

        def convert(image: Any) -> np.ndarray | str:
            w, h = image.size
            if abs(w / h / (width / height) - 1) > 0.05:
                return f"{w} x {h} pixels, not the proportions of {self.title}, {width} x {height}"
            box = (left * w, top * h, right * w, bottom * h)
            return np.asarray(to_rgb(image).resize(sides[::-1], Image.Resampling.BOX, box))

        try:
            return decode(source(), convert)
        except FileNotFoundError:
            return "missing"
        except Exception as error:  # archives raise many types, as decoders do
            return str(error).split("\n")[0][:80] or "damaged"


def first_shape(sources: Iterable[Source], default: tuple[int, int] = (1, 1)) -> tuple[int, int]:
    """Height and width of the first image that can be opened."""
    return next(filter(None, map(shape_of, sources)), default)


def shape_of(source: Source) -> tuple[int, int] | None:
    """Height and width, from the header alone."""
    from PIL import Image

    if isinstance(source, Path) and not source.is_file():
        return None
    Image.init()
    try:
        with Image.open(source, formats=FORMATS) as image:
            return (image.height, image.width) if image.height and image.width else None
    except Exception:  # as in decode
        return None


def content(path: Path) -> bytes:
    """All bytes of an image file; a ValueError if it is far too large for one."""
    if not path.is_file():
        raise FileNotFoundError(path)
    if path.stat().st_size > MAX_BYTES:
        raise ValueError(TOO_LARGE)
    return path.read_bytes()


def unpacked(member: IO[bytes]) -> bytes:
    """All bytes of a file in an archive, whose stated size is not trusted."""
    found = member.read(MAX_BYTES + 1)
    if len(found) > MAX_BYTES:
        raise ValueError(TOO_LARGE)
    return found


def to_rgb(image: Any) -> Any:
    """A Pillow image of any mode as RGB."""
    from PIL import Image

    image = eight_bit(image)
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        layer = image.convert("RGBA")
        white = Image.new("RGBA", layer.size, "white")
        return Image.alpha_composite(white, layer).convert("RGB")
    return image.convert("RGB")
