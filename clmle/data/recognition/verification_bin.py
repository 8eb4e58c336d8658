"""Verification sets in InsightFace's format: ``lfw.bin``, ``agedb_30.bin``, ``cfp_fp.bin``, ..."""

import io
import os
from pathlib import Path
from typing import Any

import numpy as np

from clmle.data.base import Progress
from clmle.data.pixels import first_shape, read_pixels
from clmle.data.recognition.faces import read_faces, sides_of
from clmle.data.recognition.pairs import OpenSetData, Pairs
from clmle.data.recognition.plain_pickle import Array, RefusedError, read_plain_pickle
from clmle.errors import InputError, shown
from clmle.files import as_sentence, expanded

FOLDS = 10


def load_bin(
    path: str | os.PathLike[str],
    *,
    image_size: int | tuple[int, int] = 112,
    progress: Progress | None = None,
) -> OpenSetData:
    """Load pairs of faces from a ``.bin`` file of InsightFace; nothing in it is executed.

    The file is a pickle of two lists: image files, two for each pair in order, and whether the
    images of each pair have the same identity. As usual with these files, the pairs are divided
    into ten folds in their order.
    """
    file = expanded(path)
    images, same = read_bin(file)
    sides = sides_of(image_size, first_shape(map(io.BytesIO, images[:100])))

    def read(i: int) -> np.ndarray | str:
        pixels = read_pixels(io.BytesIO(images[i]), sides)
        return f"image {i} is damaged ({pixels})" if isinstance(pixels, str) else pixels

    state = os.stat(file)
    facts, what = (state.st_size, state.st_mtime_ns), f"images of {file}"
    pixels, problems = read_faces(file, what, facts, len(images), sides, read, progress)
    fold = np.concatenate(
        [np.full(len(p), k) for k, p in enumerate(np.array_split(same, min(FOLDS, len(same))))]
    )
    whole = np.ones(len(same), dtype=bool)
    whole[[i // 2 for i in problems]] = False
    first = 2 * np.flatnonzero(whole)
    if len(first) == 0:
        raise InputError(f"{file} has no pair whose images can both be read; get it again.")
    return OpenSetData(
        file.stem, pixels, Pairs(first, first + 1, same[whole], fold[whole].astype(np.int64))
    )


def read_bin(file: Path) -> tuple[list[bytes | memoryview], np.ndarray]:
    """Image files (2 p), and whether the images of each pair have the same identity, (p,) bool."""
    try:
        data = file.read_bytes()
    except OSError as error:
        raise as_sentence(error, file) from error
    try:
        value = read_plain_pickle(data)
    except RefusedError as error:
        raise InputError(
            f"{file} is not a plain list of images and pairs: {error}; get it from another source."
        ) from error
    try:
        files, flags = map(_list, _list(value))
    except (TypeError, ValueError):
        raise InputError(f"{file} must have two lists, of image files and of pairs.") from None
    images = [_bytes(v, i, file) for i, v in enumerate(files)]
    odd = next((f for f in flags if not isinstance(f, bool | int) or f not in (0, 1)), None)
    if odd is not None:
        text = shown(odd) if isinstance(odd, int | str | bytes) else type(odd).__name__
        raise InputError(f"{file} has {text!r} for a pair, but must have true or false.")
    if not flags or len(images) != 2 * len(flags):
        raise InputError(
            f"{file} has {len(images):,} images for {len(flags):,} pairs, but must have two for "
            "each; get it again."
        )
    return images, np.array(flags, dtype=bool)


def _list(value: Any) -> list[Any]:
    if isinstance(value, Array) and value.value is not None and value.value.ndim == 1:
        value = value.value.tolist()
    if not isinstance(value, list | tuple):
        raise TypeError("not a list")
    return list(value)


def _bytes(value: Any, number: int, file: Path) -> bytes | memoryview:
    if isinstance(value, Array) and value.value is not None and value.value.dtype == np.uint8:
        return value.value.reshape(-1).data  # not copied, as a hostile file may repeat one array
    if not isinstance(value, bytes):
        raise InputError(f"{file} has something that is not an image file at index {number:,}.")
    return value
