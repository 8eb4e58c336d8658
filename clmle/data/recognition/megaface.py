"""MegaFace: lists and feature files of its development kit, and lists of noisy images.

A list is JSON: "path" has the names of images, "id" those of identities. A feature file is an
OpenCV matrix: number of rows and columns, bytes in a row, type (5: float32, 6: float64), 32 bits
each, little endian, then the numbers. A feature is one column.
"""

import os
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from clmle.errors import InputError, shown
from clmle.files import as_sentence, atomic_path, expanded, is_inside, read_json, read_lines

HEADER = struct.Struct("<4i")
KINDS: dict[int, np.dtype] = {5: np.dtype("<f4"), 6: np.dtype("<f8")}


@dataclass(frozen=True)
class ImageList:
    """Names of images (n,) relative to their folder, and the identity (n,) of each."""

    paths: tuple[str, ...]
    identities: tuple[str, ...]


def read_list(path: str | os.PathLike[str]) -> ImageList:
    """Read a list of probes (``facescrub_features_list.json``) or distractors."""
    table = read_json(path)
    paths = table.get("path") if isinstance(table, dict) else None
    if not isinstance(paths, list) or not all(isinstance(p, str) for p in paths) or not paths:
        raise InputError(f'{path} must have "path", a list of names of images.')
    identities = table.get("id", [""] * len(paths))
    if not isinstance(identities, list) or len(identities) != len(paths):
        raise InputError(f'{path} must have one "id" for each of its {len(paths):,} paths.')
    return ImageList(tuple(paths), tuple(map(str, identities)))


def read_noisy(path: str | os.PathLike[str]) -> frozenset[str]:
    """Read the names of noisy images (``facescrub_noises.txt``, ``megaface_noises.txt``).

    One name on each line; lines that begin with # are comments. Of two columns separated by a tab,
    the second is the name.
    """
    lines = (line for line in read_lines(Path(path)) if line.strip() and not line.startswith("#"))
    return frozenset(line.strip().split("\t")[-1].strip() for line in lines)


def without_noisy(images: ImageList, noisy: frozenset[str]) -> ImageList:
    """Remove the images whose path or file name is in ``noisy``.

    Underscores match spaces, and suffixes are ignored, since copies of FaceScrub differ in both.
    """
    plain, kept = set(map(_plain, noisy)), []
    for path, identity in zip(images.paths, images.identities, strict=True):
        if not plain & {_plain(path), _plain(path.rsplit("/", 1)[-1])}:
            kept.append((path, identity))
    return ImageList(tuple(p for p, _ in kept), tuple(i for _, i in kept))


def read_features(
    folder: str | os.PathLike[str], paths: Sequence[str], ending: str = ".bin"
) -> np.ndarray:
    """Read the features (n, d) float32 of images, each from the file ``folder/path + ending``."""
    features: np.ndarray | None = None
    for i, name in enumerate(paths):
        if not is_inside(folder, name):
            raise InputError(f"{shown(name)} is not a path inside of {folder}.")
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
    """Read the matrix (rows, columns), float32 or float64, of a feature file."""
    file = expanded(path)
    try:
        data = file.read_bytes()
    except OSError as error:
        raise as_sentence(error, file) from error
    if len(data) < HEADER.size:
        raise InputError(f"{file} is not a matrix of features: it is shorter than its header.")
    rows, columns, stride, kind = HEADER.unpack_from(data)
    dtype = KINDS.get(kind)
    # The writer of the kit states 4 bytes for a float64, too.
    strides = () if dtype is None else (columns * dtype.itemsize, columns * 4)
    if dtype is None or rows < 1 or columns < 1 or stride not in strides:
        raise InputError(
            f"{file} is not a matrix of features: its header states {rows} x {columns} numbers "
            f"of type {kind} in rows of {stride} bytes."
        )
    n_bytes = HEADER.size + rows * columns * dtype.itemsize
    if len(data) != n_bytes:
        raise InputError(
            f"{file} should have {rows:,} x {columns:,} numbers in {n_bytes:,} bytes, but has "
            f"{len(data):,}; get it again."
        )
    return np.frombuffer(data, dtype, offset=HEADER.size).reshape(rows, columns)


def write_matrix(path: str | os.PathLike[str], values: np.ndarray) -> None:
    """Write a feature (d,) as one column, or a matrix (rows, columns), as float32."""
    matrix = np.atleast_2d(np.asarray(values, dtype="<f4").T).T
    rows, columns = matrix.shape
    with atomic_path(path) as temporary:
        temporary.write_bytes(HEADER.pack(rows, columns, 4 * columns, 5) + matrix.tobytes())


def _plain(name: str) -> str:
    return os.path.splitext(name)[0].replace(" ", "_")
