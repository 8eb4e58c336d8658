"""Folders with a sub-folder for each identity, as CASIA-WebFace and LFW."""

import os
from dataclasses import dataclass, replace
from pathlib import Path
from warnings import warn

import numpy as np

from clmle.data.base import Dataset, Progress
from clmle.data.folder.scan import is_hidden, printable, scan, sentence, why_skipped
from clmle.data.folder.split_names import split_of
from clmle.data.paths import is_folder
from clmle.data.pixels import SharedRange, first_shape, read_pixels
from clmle.data.recognition.align import align, reference_points
from clmle.data.recognition.faces import identity_dataset, read_faces, sides_of
from clmle.data.recognition.landmarks import landmarks_of, read_landmarks
from clmle.data.registry import DatasetInfo, register_dataset
from clmle.errors import InputError
from clmle.files import expanded

MIN_IDENTITIES = 100  # sub-folders from which a folder is taken for one of identities


def looks_like_identities(folder: str | os.PathLike[str]) -> bool:
    """Check whether a folder, or the only folder in it, has at least 100 sub-folders.

    Ordinary classes are rarely that many. With fewer identities, use the target ``identity``
    (``--attribute identity``) or :func:`load_identities`.
    """
    home = expanded(folder)
    return home.is_dir() and len(_sub_folders(_inner(home))) >= MIN_IDENTITIES


def load_identities(
    folder: str | os.PathLike[str],
    *,
    image_size: int | tuple[int, int] = 112,
    landmarks: str | os.PathLike[str] | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Dataset:
    """Load identities from a folder with a sub-folder for each; pixels are cached."""
    found = read_folders(folder, image_size=image_size, landmarks=landmarks, progress=progress)
    identities = np.array([printable(name.split("/")[0]) for name in found.files])
    n_identities = len(set(identities.tolist()))
    if n_identities < 2:
        raise InputError(
            f"{folder} has images of {n_identities} identities, but two are needed; "
            "put the images of each identity into a separate sub-folder."
        )
    metadata = {"file": np.array([printable(file) for file in found.files])}
    dataset = identity_dataset(found.name, found.images, found.problems, identities, metadata, seed)
    all_skipped = scan(expanded(folder)).skipped
    # Files next to the sub-folders, such as pairs.txt, belong to the data.
    skipped = {r: below for r, n in all_skipped.items() if (below := [f for f in n if "/" in f])}
    text = sentence(skipped, expanded(folder))
    if text:
        warn(text, stacklevel=2)
    return replace(
        dataset,
        warnings=[*dataset.warnings, *filter(None, [text])],
        recognized="a folder for each identity",
        skipped={reason: tuple(map(printable, names)) for reason, names in skipped.items()},
    )


@dataclass(frozen=True)
class FolderImages:
    """Images of the sub-folders of a folder."""

    name: str
    images: np.ndarray  # (n, height, width, 3) uint8
    files: list[str]  # paths relative to the folder, sorted
    problems: dict[int, str]  # why some cannot be read, by number


def read_folders(
    folder: str | os.PathLike[str],
    *,
    image_size: int | tuple[int, int] = 112,
    landmarks: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> FolderImages:
    """All images below the sub-folders of a folder; parameters as for :func:`load_identities`."""
    home = expanded(folder)
    if not home.is_dir():
        raise InputError(f"There is no folder {home}; check the path.")
    base = _inner(home)
    facts = listed(base)
    files = [name for name, _, _ in facts]
    if not files:
        raise InputError(
            f"{home} has no image in its sub-folders; expected files such as .jpg or .png."
        )
    points = None if landmarks is None else read_landmarks(landmarks)
    sides = sides_of(image_size, (1, 1) if points else first_shape(base / f for f in files[:100]))
    if points:
        reference_points(sides)  # one error now instead of one for every image

    shared = SharedRange(lambda: (base / file for file in files))

    def read(i: int) -> np.ndarray | str:
        if points is None:
            pixels = read_pixels(base / files[i], sides, shared=shared)
        else:
            pixels = _aligned(base / files[i], landmarks_of(files[i], points), sides, shared)
        return f"{files[i]} ({pixels})" if isinstance(pixels, str) else pixels

    moved = None if points is None else sorted((k, v.tolist()) for k, v in points.items())
    source = facts if points is None else (facts, moved)
    images, problems = read_faces(
        base, f"files of {home}", source, len(files), sides, read, progress
    )
    return FolderImages(home.resolve().name, images, files, problems)


def _aligned(
    file: Path, points: np.ndarray | None, sides: tuple[int, int], shared: SharedRange
) -> np.ndarray | str:
    if points is None:
        return "no landmarks"
    pixels = read_pixels(file, shared=shared)
    try:
        return pixels if isinstance(pixels, str) else align(pixels, points, sides)
    except InputError as error:
        return str(error).rstrip(".")


def _inner(home: Path) -> Path:
    """The folder itself, or its only sub-folder if that has the identities."""
    inside = _sub_folders(home)
    return home / inside[0] if len(inside) == 1 and _sub_folders(home / inside[0]) else home


def _sub_folders(folder: Path) -> list[str]:
    """Names of the sub-folders; none if they are the splits of ordinary classes."""
    with os.scandir(folder) as entries:
        names = sorted(e.name for e in entries if is_folder(e) and not is_hidden(e.name))
    return [] if names and all(split_of(name) is not None for name in names) else names


def listed(base: Path) -> list[tuple[str, int, int]]:
    """Name, size and time of all image files below ``base``."""
    facts = []
    for identity in _sub_folders(base):
        for folder, _, _ in sorted(os.walk(base / identity)):
            with os.scandir(folder) as entries:
                found = sorted((e for e in entries if is_image(e)), key=lambda e: e.name)
            for entry in found:
                name = os.path.relpath(entry.path, base).replace(os.sep, "/")
                state = entry.stat()
                facts.append((name, state.st_size, state.st_mtime_ns))
    return facts


def is_image(entry: os.DirEntry[str]) -> bool:
    """Whether a directory entry is an image, by its ending or its content."""
    return not is_hidden(entry.name) and not why_skipped(entry)


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
