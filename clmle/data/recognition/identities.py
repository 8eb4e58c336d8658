"""A folder for each identity, as CASIA-WebFace and LFW come: read once, damaged files named."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from clmle.data.base import Dataset
from clmle.data.folder import SPLIT_NAMES, SUFFIXES
from clmle.data.pixel_cache import Progress
from clmle.data.pixels import read_pixels, shape_of
from clmle.data.recognition.align import align, reference_points
from clmle.data.recognition.faces import (
    identity_dataset,
    sides_of,
    stored_pixels,
    tell_damaged,
)
from clmle.data.recognition.landmarks import landmarks_of, read_landmarks
from clmle.data.registry import DatasetInfo, register_dataset
from clmle.errors import InputError
from clmle.files import expanded

MANY = 100  # sub-folders from which a folder is taken for one of identities by itself


def looks_like_identities(folder: str | os.PathLike[str]) -> bool:
    """Whether a folder, or the only one in it, has at least 100 sub-folders, as people's do.

    Ordinary classes are rarely that many; ``--attribute identity`` says it of fewer, too.
    """
    home = expanded(folder)
    return home.is_dir() and len(_people(_inner(home))) >= MANY


def load_identities(
    folder: str | os.PathLike[str],
    *,
    image_size: int | tuple[int, int] = 112,
    landmarks: str | os.PathLike[str] | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    root: str | os.PathLike[str] | None = None,
) -> Dataset:
    """Identities from a folder with a sub-folder for each; pixels are read once and cached.

    Parameters
    ----------
    folder : path
        Sub-folders named after the identities hold their images, at any depth. A folder with
        nothing but one folder of that kind will do.
    image_size : int or (int, int)
        Pixels down (across in proportion to the first image), or down and across; the middle of
        an image of other proportions is taken.
    landmarks : path, optional
        A file of five landmarks of every image (:func:`clmle.data.recognition.read_landmarks`):
        faces are aligned to 112 x 112, or 112 x 96, then brought to ``image_size``, which must be
        of one of these proportions.
    seed, progress, root
        As of :func:`clmle.data.recognition.load_recordio`.

    Returns
    -------
    Dataset
        ``labels`` identity, named after the folders; ``metadata`` file, below ``folder``.

    Raises
    ------
    InputError
        No such folder, or fewer than two identities. Files that cannot be read are counted and
        named in one warning, and left out.
    """
    found = read_folders(
        folder, image_size=image_size, landmarks=landmarks, progress=progress, root=root
    )
    people = np.array([name.split("/")[0] for name in found.files])
    if len(set(people.tolist())) < 2:
        raise InputError(
            f"{folder} has images of {len(set(people.tolist()))} identities, but two are needed; "
            "put the images of each into a sub-folder of its own."
        )
    metadata = {"file": np.array(found.files)}
    return identity_dataset(found.name, found.images, found.problems, people, metadata, seed)


@dataclass(frozen=True)
class FolderImages:
    """Images of a folder's sub-folders.

    ``images`` (n, height, width, 3) uint8; ``files`` their names below the folder, sorted;
    ``problems`` {number: sentence} of those that could not be read.
    """

    name: str
    images: np.ndarray
    files: list[str]
    problems: dict[int, str]


def read_folders(
    folder: str | os.PathLike[str],
    *,
    image_size: int | tuple[int, int] = 112,
    landmarks: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
    root: str | os.PathLike[str] | None = None,
) -> FolderImages:
    """All images below the sub-folders of a folder, as :func:`load_identities` reads them."""
    home = expanded(folder)
    if not home.is_dir():
        raise InputError(f"There is no folder {home}; check the path.")
    base = _inner(home)
    files, facts = _listed(base)
    if not files:
        raise InputError(
            f"{home} holds no image in its sub-folders; expected files such as .jpg or .png."
        )
    points = None if landmarks is None else read_landmarks(landmarks)
    sides = sides_of(image_size, (1, 1) if points else first_shape(base, files))
    if points:
        reference_points(sides)  # an error now rather than for every image

    def read(i: int) -> np.ndarray | str:
        if points is None:
            pixels = read_pixels(base / files[i], sides)
        else:
            pixels = _aligned(base / files[i], landmarks_of(files[i], points), sides)
        return f"{files[i]} ({pixels})" if isinstance(pixels, str) else pixels

    reported = (
        facts if points is None else (facts, sorted((k, v.tolist()) for k, v in points.items()))
    )
    images, problems = stored_pixels(base, reported, len(files), sides, read, progress, root)
    tell_damaged(problems, len(files), f"files of {home}")
    return FolderImages(home.resolve().name, images, files, problems)


def _aligned(file: Path, points: np.ndarray | None, sides: tuple[int, int]) -> np.ndarray | str:
    if points is None:
        return "no landmarks"
    pixels = read_pixels(file)
    try:
        return pixels if isinstance(pixels, str) else align(pixels, points, sides)
    except InputError as error:
        return str(error).rstrip(".")


def _inner(home: Path) -> Path:
    """The folder itself, or the only one in it where that holds the identities."""
    inside = _people(home)
    return home / inside[0] if len(inside) == 1 and _people(home / inside[0]) else home


def _people(folder: Path) -> list[str]:
    """Names of the sub-folders; none where they are splits of ordinary classes."""
    with os.scandir(folder) as entries:
        names = sorted(e.name for e in entries if e.is_dir() and not e.name.startswith("."))
    # Identities may be numbers, and 0, 1 and 2 are names of splits.
    words = {name for name in SPLIT_NAMES if not name.isdigit()}
    return [] if names and all(n.lower() in words for n in names) else names


def _listed(base: Path) -> tuple[list[str], list[tuple[str, int, int]]]:
    """Files of images below ``base``, and what tells that one changed."""
    files, facts = [], []
    for person in _people(base):
        for place, _, _ in sorted(os.walk(base / person)):
            with os.scandir(place) as entries:
                found = sorted((e for e in entries if is_image(e)), key=lambda e: e.name)
            for entry in found:
                name = os.path.relpath(entry.path, base).replace(os.sep, "/")
                state = entry.stat()
                files.append(name)
                facts.append((name, state.st_size, state.st_mtime_ns))
    return files, facts


def is_image(entry: os.DirEntry[str]) -> bool:
    ending = os.path.splitext(entry.name)[1].lower()
    return ending in SUFFIXES and not entry.name.startswith(".") and entry.is_file()


def first_shape(base: Path, files: list[str]) -> tuple[int, int]:
    """Height and width of the first image that can be opened."""
    return next(filter(None, (shape_of(base / name) for name in files[:100])), (1, 1))


register_dataset(
    DatasetInfo(
        name="identity folder",
        title="Folder of identities",
        description="A sub-folder of images for each identity, as in CASIA-WebFace.",
        load=load_identities,
        kind="identities",
        recognize=looks_like_identities,
        general=True,
        targets=("identity",),
        order=80,
    )
)
