"""The aligned photographs, a folder or a zip file, cropped to the face."""

from __future__ import annotations

import io
import threading
import zipfile
from pathlib import Path

import numpy as np

from clmle.errors import InputError

ALIGNED = (218, 178)  # height and width of the authors' aligned photographs
NAMES = ("img_align_celeba", "img_align_celeba_png", "images")
# Of the aligned photograph, in shares of its height and width: 142 x 166 pixels around the face,
# of the proportions 47 : 55. The authors' landmarks put the eyes at about (69, 111) and (108, 111)
# and the mouth at (89, 152) of it.
CROP = (0.101, 0.193, 0.899, 0.955)  # left, top, right, bottom
PROPORTION = 47 / 55
ENDINGS = ("", ".png", ".jpg", ".jpeg")


def width_of(height: int) -> int:
    """Pixels across for ``height`` pixels down: 47 for 55."""
    return max(1, round(height * PROPORTION))


class Photographs:
    """Pixels of the photographs by name.

    Raises
    ------
    InputError
        No folder and no zip file of images.
    """

    def __init__(self, folder: Path) -> None:
        self.path = _find(folder)
        self._own = threading.local()  # a zip file is not shared between threads
        self._members: dict[str, str] = {}
        if self.path.is_file():
            self._members = {Path(m).name: m for m in self._zip().namelist() if Path(m).suffix}
        self.names = (
            set(self._members) if self._members else {p.name for p in self.path.iterdir()}
        )  # fmt: skip

    def read(self, name: str, height: int) -> np.ndarray | str:
        """(height, width, 3) uint8 of one photograph, or one sentence on why not."""
        from PIL import Image, UnidentifiedImageError

        found = self.file_of(name)
        if found is None:
            return f"{name} is missing"
        try:
            with Image.open(io.BytesIO(self._bytes(found))) as image:
                across, down = image.size
                if abs(across / down / (ALIGNED[1] / ALIGNED[0]) - 1) > 0.05:
                    return (
                        f"{name} has {across} x {down} pixels, not the proportions of the aligned "
                        "photographs, 178 x 218"
                    )
                box = (CROP[0] * across, CROP[1] * down, CROP[2] * across, CROP[3] * down)
                size = (width_of(height), height)
                small = image.convert("RGB").resize(size, Image.Resampling.BOX, box)
                return np.asarray(small)
        except UnidentifiedImageError:
            return f"{name} is not an image"
        except Image.DecompressionBombError:
            return f"{name} has far too many pixels"
        except (OSError, ValueError, SyntaxError, EOFError, zipfile.BadZipFile, RuntimeError) as e:
            reason = str(e).split("\n")[0][:60]
            return f"{name} is damaged ({reason})"

    def file_of(self, name: str) -> str | None:
        """The stored name of the photograph: the lists say .jpg where a copy has .png."""
        stem = Path(name).stem
        return next((n for n in (name, *(stem + e for e in ENDINGS)) if n in self.names), None)

    def _bytes(self, name: str) -> bytes:
        if self._members:
            return self._zip().read(self._members[name])
        return (self.path / name).read_bytes()

    def _zip(self) -> zipfile.ZipFile:
        if not hasattr(self._own, "zip"):
            try:
                self._own.zip = zipfile.ZipFile(self.path)
            except (OSError, zipfile.BadZipFile) as error:
                raise InputError(
                    f"{self.path} cannot be opened as a zip file ({error}); it may be cut off: "
                    "get it again."
                ) from error
        return self._own.zip


def _find(folder: Path) -> Path:
    """The folder of photographs, else the zip file of them."""
    for name in NAMES:
        for pattern in (name, f"*/{name}", f"*/*/{name}"):
            for path in sorted(folder.glob(pattern)):
                if path.is_dir():
                    # Some copies hold a folder of the same name inside.
                    return path / name if (path / name).is_dir() else path
    for name in NAMES:
        for pattern in (f"{name}.zip", f"*/{name}.zip", f"*/*/{name}.zip"):
            for path in sorted(folder.glob(pattern)):
                return path
    raise InputError(
        f"{folder} holds neither a folder {NAMES[0]} nor {NAMES[0]}.zip; put the aligned "
        "photographs of CelebA there."
    )
