"""The aligned photographs of CelebA, in a folder or a zip file, cropped to the face."""

import io
import os
import threading
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from clmle.data.paths import entries, folders_within, is_folder, within
from clmle.data.pixels import Crop, content, unpacked
from clmle.errors import InputError

NAMES = ("img_align_celeba", "img_align_celeba_png", "images")
# 142 x 166 pixels around the face, with the proportions 47 : 55. In the aligned photographs the
# eyes are at about (69, 111) and (108, 111), the mouth at (89, 152).
ALIGNED = Crop((218, 178), (0.101, 0.193, 0.899, 0.955), "the aligned photographs")
PROPORTION = 47 / 55
ENDINGS = (".png", ".jpg", ".jpeg", "")


def width_of(height: int) -> int:
    """Width for a ``height`` in pixels: 47 for 55."""
    return max(1, round(height * PROPORTION))


class Photographs:
    """The photographs by name; an InputError if there is neither a folder nor a zip file."""

    def __init__(self, folder: Path) -> None:
        self.path = _find(folder)
        self._local = threading.local()  # every thread opens the zip file itself
        self.zipped = self.path.is_file()
        # By lower-case name, since copies have .JPG where the lists have .jpg.
        self.stored = self._members() if self.zipped else self._files()

    def read(self, name: str, height: int) -> np.ndarray | str:
        """(height, width, 3) uint8 of one photograph, or its name and why it cannot be read."""
        found = self.file_of(name)
        if found is None:
            return f"{name} (missing)"
        sides = (height, width_of(height))
        pixels = ALIGNED.read(lambda: io.BytesIO(self._bytes(found)), sides)
        return f"{name} ({pixels})" if isinstance(pixels, str) else pixels

    def file_of(self, name: str) -> str | None:
        """The stored name of a photograph: copies have .png where the lists have .jpg."""
        plain = name.lower()
        stem = Path(plain).stem
        names = (plain, *(stem + ending for ending in ENDINGS))
        return next((self.stored[n] for n in names if n in self.stored), None)

    def facts(self, names: Sequence[str]) -> list[tuple[object, ...]]:
        """Name, size and time of each photograph, or size and time of the zip file."""
        if self.zipped:
            state = os.stat(self.path)
            return [(state.st_size, state.st_mtime_ns)]
        states = {entry.name: entry.stat() for entry in entries(self.path)}
        found = (self.file_of(name) for name in names)
        return [(f, states[f].st_size, states[f].st_mtime_ns) if f in states else () for f in found]

    def _files(self) -> dict[str, str]:
        return {e.name.lower(): e.name for e in entries(self.path) if not is_folder(e)}

    def _members(self) -> dict[str, str]:
        """Files of the zip file by name, without the metadata files that macOS adds."""
        found: dict[str, str] = {}
        for member in self._zip().namelist():
            if "__MACOSX" not in member and not member.endswith("/"):
                found.setdefault(Path(member).name.lower(), member)
        return found

    def _bytes(self, name: str) -> bytes:
        if not self.zipped:
            return content(self.path / name)
        with self._zip().open(name) as member:  # ZipFile.read trusts the stated size
            return unpacked(member)

    def _zip(self) -> zipfile.ZipFile:
        if not hasattr(self._local, "zip"):
            try:
                self._local.zip = zipfile.ZipFile(self.path)
            except (OSError, zipfile.BadZipFile) as error:
                raise InputError(
                    f"{self.path} cannot be opened as a zip file ({error}); it may be cut off: "
                    "get it again."
                ) from error
        opened: zipfile.ZipFile = self._local.zip
        return opened


def _find(folder: Path) -> Path:
    """A non-empty folder of photographs, else a zip file, else an empty folder."""
    folders = folders_within(folder, NAMES)
    zips = [path for path in within(folder, [f"{name}.zip" for name in NAMES]) if path.is_file()]
    found = [*filter(entries, folders), *zips, *folders]
    if not found:
        raise InputError(
            f"{folder} has neither a folder {NAMES[0]} nor {NAMES[0]}.zip; put the aligned "
            "photographs of CelebA there."
        )
    return found[0]
