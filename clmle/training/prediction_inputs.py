"""Batches of images or features to predict, from files, folders and arrays."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from clmle.data.features.files import DIMS, read_rows
from clmle.data.folder.columns import FILES, plain
from clmle.data.folder.scan import HIDDEN, Scan, printable, scan
from clmle.data.pixels import SHALLOW, SharedRange, read_pixels
from clmle.errors import InputError
from clmle.files import expanded
from clmle.training.model import Model

BATCH = 256  # images that are decoded and predicted at a time

Batch = tuple[list[Any], np.ndarray]  # names of files, or numbers of rows; images or features


@dataclass(frozen=True)
class Inputs:
    """What is predicted: ``n`` files or rows, named by the column ``key``, in batches.

    ``skipped`` are files that are no images, by name, with the reason.
    """

    key: str
    n: int
    batches: Callable[[], Iterator[Batch]]
    skipped: dict[str, str]


def inputs_of(model: Model, source: Any, unreadable: Callable[[str, str], None]) -> Inputs:
    """Inputs of a model from a path, a list of paths, or an array.

    ``unreadable(name, reason)`` is called for a file that cannot be read.
    """
    if isinstance(source, np.ndarray):
        return _rows(source)
    is_path = isinstance(source, str | os.PathLike)
    if len(model.image_shape) == 1:
        if not is_path:
            raise InputError(
                "The model reads features: give an array (n, d) or the path of a file."
            )
        return _table(source)
    if is_path:
        path = expanded(source)
        if path.suffix.lower() in DIMS and path.is_file():
            raise InputError(f"{path} holds features, but the model reads images.")
        if not path.exists():
            raise InputError(f"There is no file or folder {path}; check the path.")
        found = scan(path) if path.is_dir() else Scan([path.name])
        folder = path if path.is_dir() else path.parent
        files, names = [folder / name for name in found.images], list(map(printable, found.images))
        skipped = {
            printable(name): why
            for why, others in found.skipped.items() if why != HIDDEN for name in others
        }  # fmt: skip
        if not files:
            raise InputError(f"{path} has no image; expected files such as .png or .jpg.")
    else:
        files = [expanded(file) for file in source]
        names, skipped = [printable(str(file)) for file in files], {}
    return Inputs("file", len(files), lambda: _decoded(model, files, names, unreadable), skipped)


def _decoded(
    model: Model,
    files: Sequence[Path],
    names: Sequence[str],
    unreadable: Callable[[str, str], None],
) -> Iterator[Batch]:
    """Batches of decoded images, as they were decoded for training."""
    height, width, channels = model.image_shape
    deep = [file for file in files if file.suffix.lower() not in SHALLOW]
    shared = SharedRange(lambda: deep, model.value_range)

    def read(file: Path) -> np.ndarray | str:
        return read_pixels(file, (height, width), shared=shared)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, len(files), BATCH):
            images, kept = [], []
            part = slice(start, start + BATCH)
            for name, found in zip(names[part], pool.map(read, files[part]), strict=True):
                if isinstance(found, str):
                    unreadable(name, found)
                else:
                    images.append(found)
                    kept.append(name)
            pixels = np.stack(images) if images else np.empty((0, height, width, 3), np.uint8)
            yield kept, with_channels(pixels, channels)


def with_channels(images: np.ndarray, channels: int) -> np.ndarray:
    """Color images (n, height, width, 3), or for one channel the mean of their colors."""
    if channels == 1 and images.shape[3] == 3:
        gray: np.ndarray = images.mean(axis=3, keepdims=True).round().astype(np.uint8)
        return gray
    return images


def _rows(values: np.ndarray) -> Inputs:
    def batches() -> Iterator[Batch]:
        for start in range(0, len(values), BATCH):
            part = values[start : start + BATCH]
            yield list(range(start, start + len(part))), part

    return Inputs("row", len(values), batches, {})


def _table(source: str | os.PathLike[str]) -> Inputs:
    """Rows of a file of features; their names are those of a column of files, if it has one."""
    found = read_rows(source)
    inputs = _rows(found.features)
    named = next((c for name, c in found.columns.items() if plain(name) in FILES), None)
    if named is None:
        return inputs

    def batches() -> Iterator[Batch]:
        for rows, part in inputs.batches():
            yield [named[i] for i in rows], part

    return Inputs("file", inputs.n, batches, {})
