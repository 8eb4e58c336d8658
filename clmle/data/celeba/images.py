"""The aligned photographs, a folder or a zip file, cropped to the face."""

from __future__ import annotations

import os
import threading
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from clmle.data.celeba.paths import entries, within
from clmle.data.crop import Crop
from clmle.data.pixels import content, unpacked
from clmle.errors import InputError

NAMES = ("img_align_celeba", "img_align_celeba_png", "images")
# Of the authors' aligned photograph 142 x 166 pixels around the face, of the proportions 47 : 55.
# Their landmarks put the eyes at about (69, 111) and (108, 111) and the mouth at (89, 152) of it.
ALIGNED = Crop((218, 178), (0.101, 0.193, 0.899, 0.955), "the aligned photographs")
PROPORTION = 47 / 55
ENDINGS = (".png", ".jpg", ".jpeg", "")


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
        self.zipped = self.path.is_file()
        # By name without capitals: copies have .JPG where the lists say .jpg.
        self.stored = self._members() if self.zipped else self._files()

    def read(self, name: str, height: int) -> np.ndarray | str:
        """(height, width, 3) uint8 of one photograph, or one sentence on why not."""
        found = self.file_of(name)
        if found is None:
            return f"{name} is missing"
        return ALIGNED.read(name, lambda: self._bytes(found), (height, width_of(height)))

    def file_of(self, name: str) -> str | None:
        """The stored name of the photograph: the lists say .jpg where a copy has .png."""
        plain = name.lower()
        stem = Path(plain).stem
        names = (plain, *(stem + ending for ending in ENDINGS))
        return next((self.stored[n] for n in names if n in self.stored), None)

    def facts(self, names: Sequence[str]) -> list[tuple[object, ...]]:
        """What changes when a photograph does: name, size and time of each, or of the zip file."""
        if self.zipped:
            state = os.stat(self.path)
            return [(state.st_size, state.st_mtime_ns)]
        states = {entry.name: entry.stat() for entry in entries(self.path)}
        found = (self.file_of(name) for name in names)
        return [(f, states[f].st_size, states[f].st_mtime_ns) if f in states else () for f in found]

    def _files(self) -> dict[str, str]:
        return {e.name.lower(): e.name for e in entries(self.path) if e.is_file()}

    def _members(self) -> dict[str, str]:
        """Files of the zip file by name; macOS adds a shadow of each, which is no image."""
        found: dict[str, str] = {}
        for member in self._zip().namelist():
            if "__MACOSX" not in member and not member.endswith("/"):
                found.setdefault(Path(member).name.lower(), member)
        return found

    def _bytes(self, name: str) -> bytes:
        if not self.zipped:
            return content(self.path / name)
        with self._zip().open(name) as member:  # read() believes whatever size is announced
            return unpacked(member)

    def _zip(self) -> zipfile.ZipFile:
        if not hasattr(self._own, "zip"):
            try:
                self._own.zip = zipfile.ZipFile(self.path)
            except (OSError, zipfile.BadZipFile) as error:
                raise InputError(
                    f"{self.path} cannot be opened as a zip file ({error}); it may be cut off: "
                    "get it again."
                ) from error
        opened: zipfile.ZipFile = self._own.zip
        return opened


def _find(folder: Path) -> Path:
    """The folder of photographs, else the zip file of them, else an empty folder."""
    wanted = [*NAMES, *(f"{name}.zip" for name in NAMES)]
    found = sorted(within(folder, wanted), key=lambda path: wanted.index(path.name.lower()))
    folders = [_inner(path) for path in found if path.is_dir()]
    zips = [path for path in found if path.is_file() and path.suffix]
    best = [*filter(entries, folders), *zips, *folders]
    if not best:
        raise InputError(
            f"{folder} holds neither a folder {NAMES[0]} nor {NAMES[0]}.zip; put the aligned "
            "photographs of CelebA there."
        )
    return best[0]


def _inner(folder: Path) -> Path:
    """Some copies hold a folder of the same name inside."""
    inside = folder / folder.name
    return inside if inside.is_dir() else folder
