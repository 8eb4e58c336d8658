"""Pixels of the files of a folder, and which of them are copies."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

from clmle.data.base import Progress
from clmle.data.pixel_cache import stored_pixels
from clmle.data.pixel_writing import start_array
from clmle.data.pixels import SHALLOW, SharedRange, read_pixels
from clmle.data.value_range import ValueRange
from clmle.errors import InputError
from clmle.file_rows import open_rows
from clmle.files import atomic_path, write_json
from clmle.stored_json import read_checked

CHUNK = 512  # images that are copied at a time
LIMIT = 20.0  # gigabytes of all decoded folders, unless CLMLE_CACHE_GB says otherwise
VERSION = 2  # of the pixels that this code makes of the files
DARK = 32  # an 8-bit value
FACTS = {
    "copies": [[int, 2], None], "warnings": [str, None],
    "value_range": ([float, 2], [float, 0], None),
}  # fmt: skip


@dataclass(frozen=True)
class FolderImages:
    """Pixels (m, height, width, 3) of the files that can be read; why not of others, by index.

    ``copies`` (m,) is the index of the first image with equal pixels, for each image.
    """

    images: np.ndarray
    problems: dict[int, str]
    copies: np.ndarray
    warnings: tuple[str, ...] = ()
    value_range: ValueRange | None = None


def read_images(
    folder: Path,
    files: list[str],
    sides: tuple[int, int],
    progress: Progress | None = None,
    given: ValueRange | None = None,
) -> FolderImages:
    """Decode image files to one size, once: later calls open the memory map in the cache.

    Values of more than 8 bits have one range, which may be ``given``. A file whose size or time has
    changed makes all be decoded again.
    """
    if given is not None:
        found = read_images(folder, files, sides, progress)
        if found.value_range in (None, given):
            return found
    shared = SharedRange(
        lambda: (folder / f for f in files if os.path.splitext(f)[1].lower() not in SHALLOW), given
    )
    root = os.fspath(folder)
    images, problems = stored_pixels(
        "folders",
        f"{folder.resolve()} {sides}{given or ''}",
        [VERSION, *((file, *_state(f"{root}/{file}")) for file in files)],
        len(files),
        (*sides, 3),
        lambda i: read_pixels(folder / files[i], sides, shared=shared),
        progress,
        limit=int(1e9 * _limit()),
    )
    home = Path(str(getattr(images, "filename", "")))
    images = _readable(images, problems, home.with_name("readable.npy"))
    facts = _facts(images, shared, home.with_name("facts.json"))
    copies = np.arange(len(images))
    for i, first in facts["copies"]:
        copies[i] = first
    value_range = tuple(facts["value_range"]) if facts["value_range"] else None
    return FolderImages(images, problems, copies, tuple(facts["warnings"]), value_range)


def _state(file: str) -> tuple[int, ...]:
    """Size and times of a file; the time of the last change of the file's entry cannot be set."""
    try:
        state = os.stat(file)
    except OSError:
        return ()
    return state.st_size, state.st_mtime_ns, state.st_ctime_ns


def _limit() -> float:
    text = os.environ.get("CLMLE_CACHE_GB", "")
    try:
        limit = float(text or LIMIT)
    except ValueError:
        limit = -1.0
    if not limit >= 0:
        raise InputError(f"CLMLE_CACHE_GB is {text!r}, but must be a number of gigabytes.")
    return limit


def _readable(images: np.ndarray, problems: Mapping[int, str], copy: Path) -> np.ndarray:
    """The images without those that cannot be read: a second memory map, if there are any."""
    if not problems or len(problems) == len(images):
        return images if not problems else images[:0]
    kept = np.setdiff1d(np.arange(len(images)), list(problems))
    shape = (len(kept), *images.shape[1:])
    found = _mapped(copy, shape)
    if found is None:
        # Not through a memory map: on a full disk, that ends the process.
        with atomic_path(copy) as temporary, open(temporary, "wb") as file:
            start_array(file, shape)
            for start in range(0, len(kept), CHUNK):
                file.write(images[kept[start : start + CHUNK]].tobytes())
        found = _mapped(copy, shape)
    if found is None:
        raise InputError(f"{copy} could not be read after writing; remove it and try again.")
    return found


def _mapped(file: Path, shape: tuple[int, ...]) -> np.ndarray | None:
    """The images in a file; None if it does not hold images of this shape."""
    try:
        found = open_rows(file)
    except (OSError, ValueError, EOFError):
        return None
    return found if found.shape == shape and found.dtype == np.uint8 else None


def _facts(images: np.ndarray, shared: SharedRange, file: Path) -> dict[str, Any]:
    """Copies among the images, range of values, and sentences; kept next to the pixels."""
    if stored := _stored_facts(file, len(images)):
        return stored
    found = copies_of(images)
    differs = np.flatnonzero(found != np.arange(len(images))).tolist()
    low, high, n_deep = shared.own
    sentences = []
    if n_deep and (used := shared()):
        sentences.append(
            f"{n_deep:,} images have values of more than 8 bits; {used[0]:g} becomes black and "
            f"{used[1]:g} white in all of them."
        )
        if shared.given and (low < used[0] or high > used[1]):
            sentences.append(
                f"Their values are from {low:g} to {high:g}, beyond this range, which is that of "
                "the training images of the run."
            )
    parts = range(0, len(images), CHUNK)
    brightest = max((int(images[a : a + CHUNK].max()) for a in parts), default=255)
    if brightest < DARK:
        sentences.append(
            f"All images are almost black: no value is above {brightest} of 255; scale the "
            "values to 0 to 255 before they are saved."
        )
    copies = [[i, int(found[i])] for i in differs]
    facts = {"copies": copies, "warnings": sentences, "value_range": shared() if n_deep else None}
    write_json(file, facts)
    return facts


def _stored_facts(file: Path, n: int) -> dict[str, Any] | None:
    """What :func:`_facts` stored; None if there is nothing, or if it is damaged."""
    try:
        stored = read_checked(file, FACTS)
    except InputError:
        return None
    numbers = [i for pair in stored["copies"] for i in pair]
    limits = stored["value_range"] or (0.0, 1.0)
    whole = all(0 <= i < n for i in numbers) and limits[0] <= limits[1]
    return stored if whole else None


def copies_of(images: np.ndarray, rows: np.ndarray | None = None) -> np.ndarray:
    """For each image (n, height, width, channels), the index of the first with equal pixels.

    Images of a single color are no copies of each other. Features (n, d) are compared alike. Of
    some ``rows``, the index is one of rows.
    """
    first: dict[bytes, int] = {}
    copies = np.arange(len(images) if rows is None else len(rows))
    for start in range(0, len(copies), CHUNK):
        part = copies[start : start + CHUNK] if rows is None else rows[start : start + CHUNK]
        for i, image in enumerate(images[part], start):
            j = first.setdefault(blake2b(image.tobytes(), digest_size=16).digest(), i)
            one = image[0, 0] if image.ndim == 3 else image[0]
            if j != i and (image != one).any():
                copies[i] = j
    return copies
