"""The aligned photographs, a folder or a zip file, cropped to the face."""

from __future__ import annotations

import threading
import zipfile
from pathlib import Path

import numpy as np

from clmle.data.crop import Crop
from clmle.errors import InputError

NAMES = ("img_align_celeba", "img_align_celeba_png", "images")
# Of the authors' aligned photograph 142 x 166 pixels around the face, of the proportions 47 : 55.
# Their landmarks put the eyes at about (69, 111) and (108, 111) and the mouth at (89, 152) of it.
ALIGNED = Crop((218, 178), (0.101, 0.193, 0.899, 0.955), "the aligned photographs")
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
        found = self.file_of(name)
        if found is None:
            return f"{name} is missing"
        return ALIGNED.read(name, lambda: self._bytes(found), (height, width_of(height)))

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
