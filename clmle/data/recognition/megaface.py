"""MegaFace: its development kit's lists and feature files, and the lists of noisy images.

A list is JSON: "path" holds the names of images, "id" those of people. A feature file is an OpenCV
matrix: rows, columns, bytes of a row and kind of number (5: float32, 6: float64), 32 bits each,
little endian, then the numbers; a feature is one column.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from clmle.data.recognition.faces import text_lines
from clmle.errors import InputError, shown
from clmle.files import as_sentence, atomic_path, expanded, is_inside, read_json

HEADER = struct.Struct("<4i")
KINDS: dict[int, np.dtype] = {5: np.dtype("<f4"), 6: np.dtype("<f8")}


@dataclass(frozen=True)
class ImageList:
    """``paths`` (n,) names of images, relative to their folder; ``people`` (n,) of whom each is."""

    paths: tuple[str, ...]
    people: tuple[str, ...]


def read_list(path: str | os.PathLike[str]) -> ImageList:
    """A list of probes (``facescrub_features_list.json``) or distractors of the development kit.

    Raises
    ------
    InputError
        Not JSON, without "path", or with "id" of another length.
    """
    table = read_json(path)
    paths = table.get("path") if isinstance(table, dict) else None
    if not isinstance(paths, list) or not all(isinstance(p, str) for p in paths) or not paths:
        raise InputError(f'{path} must hold "path", a list of names of images.')
    people = table.get("id", [""] * len(paths))
    if not isinstance(people, list) or len(people) != len(paths):
        raise InputError(f'{path} must hold one "id" for each of its {len(paths):,} paths.')
    return ImageList(tuple(paths), tuple(map(str, people)))


def read_noisy(path: str | os.PathLike[str]) -> frozenset[str]:
    """Names of noisy images (``facescrub_noises.txt``, ``megaface_noises.txt``), a line each.

    Lines that begin with # are remarks; of two columns with a tab between, the second is the name.
    """
    names = set()
    for line in text_lines(Path(path)):
        if line.strip() and not line.startswith("#"):
            names.add(line.strip().split("\t")[-1].strip())
    return frozenset(names)


def without_noisy(images: ImageList, noisy: frozenset[str]) -> ImageList:
    """The images of a list that are not noisy: neither their path nor their file name is named.

    Spaces and underscores count as the same, and endings do not count: FaceScrub's copies differ
    in both.
    """
    plain = {_plain(name) for name in noisy}
    kept = [
        i
        for i, path in enumerate(images.paths)
        if _plain(path) not in plain and _plain(path.rsplit("/", 1)[-1]) not in plain
    ]
    return ImageList(tuple(images.paths[i] for i in kept), tuple(images.people[i] for i in kept))


def read_features(
    folder: str | os.PathLike[str], paths: Sequence[str], ending: str = ".bin"
) -> np.ndarray:
    """Features (n, d) float32 of images, each in the file ``folder/path + ending``.

    Raises
    ------
    InputError
        A file is missing, cut off, odd, or of another dimension; the sentence names it.
    """
    features: np.ndarray | None = None
    for i, name in enumerate(paths):
        if not is_inside(folder, name):
            raise InputError(f"{shown(name)} is no path inside of {folder}.")
        file = expanded(folder) / (name + ending)
        one = read_matrix(file).reshape(-1)
        if features is None:
            features = np.empty((len(paths), len(one)), dtype=np.float32)
        if len(one) != features.shape[1]:
            raise InputError(
                f"{file} has {len(one):,} numbers, but those before it {features.shape[1]:,}."
            )
        features[i] = one
    return np.empty((0, 0), dtype=np.float32) if features is None else features


def read_matrix(path: str | os.PathLike[str]) -> np.ndarray:
    """The matrix (rows, columns) of a feature file, float32 or float64.

    Raises
    ------
    InputError
        Not such a file, cut off or too long.
    """
    file = expanded(path)
    try:
        data = file.read_bytes()
    except OSError as error:
        raise as_sentence(error, file) from error
    if len(data) < HEADER.size:
        raise InputError(f"{file} is no matrix of features: it is shorter than its header.")
    rows, columns, stride, kind = HEADER.unpack_from(data)
    # Only the lower bits say which numbers; OpenCV adds how many channels.
    dtype = KINDS.get(kind)
    if dtype is None or rows < 1 or columns < 1 or stride != columns * dtype.itemsize:
        # The kit's own writer says 4 bytes a number for float64 too.
        if not (kind == 6 and rows > 0 and columns > 0 and stride == 4 * columns):
            raise InputError(
                f"{file} is no matrix of features: its header says {rows} x {columns} numbers of "
                f"kind {kind} in rows of {stride} bytes."
            )
        dtype = KINDS[6]
    if len(data) != HEADER.size + rows * columns * dtype.itemsize:
        raise InputError(
            f"{file} should hold {rows:,} x {columns:,} numbers in "
            f"{HEADER.size + rows * columns * dtype.itemsize:,} bytes, but has {len(data):,}; "
            "get it again."
        )
    return np.frombuffer(data, dtype, offset=HEADER.size).reshape(rows, columns)


def write_matrix(path: str | os.PathLike[str], values: np.ndarray) -> None:
    """Write a feature (d,), as one column, or a matrix (rows, columns) for the kit, as float32."""
    matrix = np.atleast_2d(np.asarray(values, dtype="<f4").T).T
    rows, columns = matrix.shape
    with atomic_path(path) as temporary:
        temporary.write_bytes(HEADER.pack(rows, columns, 4 * columns, 5) + matrix.tobytes())


def _plain(name: str) -> str:
    return os.path.splitext(name)[0].replace(" ", "_")
