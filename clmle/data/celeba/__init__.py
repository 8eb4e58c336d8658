"""CelebA: 202,599 faces with 40 attributes, read from the files of its authors."""

import os
from pathlib import Path

import numpy as np

from clmle.data.base import LEFT_OUT, TEST, TRAIN, VALIDATION, Dataset, Progress
from clmle.data.celeba.annotations import column_names, find, read_attributes, read_numbers
from clmle.data.celeba.images import ALIGNED, Photographs, width_of
from clmle.data.pixel_cache import stored_pixels, warn_unreadable
from clmle.data.pixels import check_image_size
from clmle.data.registry import DatasetInfo, register_dataset
from clmle.data.splits import hold_out
from clmle.errors import InputError
from clmle.files import expanded

ATTRIBUTES, PARTITION = "list_attr_celeba", "list_eval_partition"
IDENTITY, LANDMARKS = "identity_CelebA", "list_landmarks_align_celeba"
VALIDATION_FRACTION = 10_000 / 162_770  # of the training images, as in the CLMLE paper
# The gradients of 40 heads have norms of up to 16 in the first steps, then of 3 to 8.
GRAD_CLIP_NORM = 5.0


def is_celeba(folder: str | os.PathLike[str]) -> bool:
    """Check whether a folder has CelebA's list of attributes."""
    home = expanded(folder)
    return home.is_dir() and find(home, ATTRIBUTES) is not None


def celeba_attributes(folder: str | os.PathLike[str]) -> tuple[str, ...]:
    """Read the names of the attributes of a CelebA folder; no photograph is opened."""
    return column_names(_needed(expanded(folder), ATTRIBUTES))


def load_celeba(
    folder: str | os.PathLike[str],
    *,
    image_size: int = 55,
    validation: str = "paper",
    seed: int = 0,
    progress: Progress | None = None,
) -> Dataset:
    """Load CelebA from the files of its authors, cropped to the face; pixels are cached."""
    check_image_size(image_size, 16, 218)
    if validation not in ("paper", "official"):
        raise InputError(f"validation is {validation!r}; choose paper or official.")
    home = expanded(folder)
    if not home.is_dir():
        raise InputError(f"There is no folder {home}; check the path.")
    table = read_attributes(_needed(home, ATTRIBUTES))
    images = table.images
    attributes = {name: table.values[:, i].copy() for i, name in enumerate(table.columns)}
    partition = _needed(home, PARTITION)
    part = read_numbers(partition, images, head=False)[:, 0]
    _check_part(part, images, partition)
    identity = _optional(home, IDENTITY, images, head=False)
    landmarks = _optional(home, LANDMARKS, images, head=True)
    metadata = {"file": np.array(images)}
    if landmarks is not None:
        metadata["landmarks"] = landmarks
    labels = {}
    if identity is not None:
        labels["identity"] = np.unique(identity[:, 0], return_inverse=True)[1].astype(np.int64)
    photographs = Photographs(home)
    source = str(photographs.path.resolve())
    pixels, problems = stored_pixels(
        "celeba", f"{source} {image_size}",
        [source, image_size, ALIGNED.box, images, photographs.facts(images)], len(images),
        (image_size, width_of(image_size), 3), lambda i: photographs.read(images[i], image_size),
        progress,
    )  # fmt: skip
    split = np.full(len(part), LEFT_OUT, dtype=np.int8)
    split[part == 0], split[part == 2] = TRAIN, TEST
    if validation == "official":
        split[part == 1] = VALIDATION
    else:
        hold_out(split, labels.get("identity", np.arange(len(part))), VALIDATION_FRACTION, seed)
    split[list(problems)] = LEFT_OUT
    warned = warn_unreadable(problems, len(images), "photographs")
    return Dataset("celeba", pixels, split, attributes, labels, metadata=metadata, warnings=warned)


def _needed(home: Path, stem: str) -> Path:
    path = find(home, stem)
    if path is None:
        raise InputError(
            f"{home} lacks {stem}.txt; copy it there (CelebA's folders Anno and Eval have it)."
        )
    return path


def _optional(home: Path, stem: str, images: tuple[str, ...], head: bool) -> np.ndarray | None:
    path = find(home, stem)
    return None if path is None else read_numbers(path, images, head)


def _check_part(part: np.ndarray, images: tuple[str, ...], path: Path) -> None:
    odd = np.flatnonzero(~np.isin(part, (0, 1, 2)))
    if len(odd):
        raise InputError(
            f"{path} puts {images[odd[0]]} into part {part[odd[0]]}, but must have 0, 1 or 2."
        )
    for value, what in ((0, "training"), (2, "test")):
        if not (part == value).any():
            raise InputError(f"{path} has no {what} image (part {value}); get the whole file.")


def _targets(folder: str) -> tuple[str, ...]:
    has_identities = find(expanded(folder), IDENTITY) is not None
    return (*celeba_attributes(folder), *(["identity"] if has_identities else []))


register_dataset(
    DatasetInfo(
        name="CelebA",
        title="CelebA",
        description="A folder with the files of CelebA: 202,599 faces, 40 attributes, identities.",
        load=load_celeba,
        kind="attributes",
        recognize=is_celeba,
        targets=_targets,
        image_size=55,
        grad_clip_norm=GRAD_CLIP_NORM,
        order=10,
    )
)
