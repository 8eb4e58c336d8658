"""CelebA: 202,599 faces with 40 attributes, from the files as its authors ship them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from clmle.data.base import TEST, TRAIN, VALIDATION, Dataset
from clmle.data.celeba.annotations import column_names, find, read_attributes, read_numbers
from clmle.data.celeba.images import ALIGNED, Photographs, width_of
from clmle.data.pixel_cache import cached_pixels, warn_of
from clmle.data.registry import DatasetInfo, register_dataset
from clmle.data.splits import whole_identities
from clmle.errors import InputError
from clmle.files import cache_dir, expanded

ATTRIBUTES, PARTITION = "list_attr_celeba", "list_eval_partition"
IDENTITY, LANDMARKS = "identity_CelebA", "list_landmarks_align_celeba"
LEFT_OUT = -1  # of a split: the images that other papers train SVMs on, and broken ones
VALIDATED = 10_000 / 162_770  # share of the training images that the paper validates on
# The gradients of 40 heads have norms of up to 16 in the first steps, 3 to 8 later.
GRAD_CLIP_NORM = 5.0

Progress = Callable[[int, int], None]


def is_celeba(folder: str | os.PathLike[str]) -> bool:
    """Whether a folder holds CelebA's list of attributes."""
    home = expanded(folder)
    return home.is_dir() and find(home, ATTRIBUTES) is not None


def celeba_targets(folder: str | os.PathLike[str]) -> tuple[str, ...]:
    """Attributes of a folder that :func:`is_celeba`, and identity where the folder has its list."""
    has_identity = find(expanded(folder), IDENTITY) is not None
    return (*celeba_attributes(folder), *(["identity"] if has_identity else []))


def celeba_attributes(folder: str | os.PathLike[str]) -> tuple[str, ...]:
    """Names of the attributes of a folder that :func:`is_celeba`."""
    return column_names(_needed(expanded(folder), ATTRIBUTES))


def load_celeba(
    folder: str | os.PathLike[str],
    *,
    image_size: int = 55,
    validation: str = "paper",
    seed: int = 0,
    progress: Progress | None = None,
    root: str | os.PathLike[str] | None = None,
) -> Dataset:
    """CelebA from its own files, cropped to 55 x 47 and cached once.

    Parameters
    ----------
    folder : path
        Holds, itself or in folders below, the aligned photographs (folder or zip file
        ``img_align_celeba``), ``list_attr_celeba.txt`` and ``list_eval_partition.txt``; where
        they are, ``identity_CelebA.txt`` and ``list_landmarks_align_celeba.txt`` too.
    image_size : int
        Pixels down, 16 to 218; across there are 47/55 of it.
    validation : {"paper", "official"}
        "paper": 10,000 of the 162,770 training images (6.1 % of a smaller copy), whole
        identities where those are known, drawn by ``seed``; the second part of the official
        partition is left out, as other papers train SVMs on it. "official": that second part.
    progress : callable(done, total), optional
        Told as photographs are read, on first use; a killed reading goes on.
    root : path, optional
        Where the pixels are kept (1.6 GB); :func:`clmle.files.cache_dir` by default.

    Returns
    -------
    Dataset
        ``attributes`` 1, 0, -1 unknown; ``labels`` identity, where known; ``metadata`` file and,
        where known, landmarks (n, 10): x and y of both eyes, nose and both corners of the mouth
        in the aligned photograph.

    Raises
    ------
    InputError
        A file is missing, cut off or odd; the sentence names it. Single photographs that cannot
        be read are left out with one warning that names the first of them; so do ``notes``.

    References
    ----------
    Liu, Luo, Wang, Tang: Deep Learning Face Attributes in the Wild (ICCV 2015); splits as in
    section 5.1 of the CLMLE paper. The labels are noisy: see docs/method.md.
    """
    if not 16 <= image_size <= 218:
        raise InputError(f"image_size is {image_size}, but must be from 16 to 218 pixels.")
    if validation not in ("paper", "official"):
        raise InputError(f"validation is {validation!r}; choose paper or official.")
    home = expanded(folder)
    if not home.is_dir():
        raise InputError(f"There is no folder {home}.")
    table = read_attributes(_needed(home, ATTRIBUTES))
    images = table.images
    attributes = {name: table.values[:, i].copy() for i, name in enumerate(table.columns)}
    part = read_numbers(_needed(home, PARTITION), images, head=False)[:, 0]
    _check_part(part, images, _needed(home, PARTITION))
    identity = _optional(home, IDENTITY, images, head=False)
    landmarks = _optional(home, LANDMARKS, images, head=True)
    pixels, problems = _pixels(home, images, image_size, progress, root)
    people = None if identity is None else identity[:, 0]
    split = _split(part, people, validation, seed)
    split[list(problems)] = LEFT_OUT
    warned = warn_of(problems, len(images))
    metadata = {"file": np.array(images)}
    if landmarks is not None:
        metadata["landmarks"] = landmarks
    labels = {}
    if people is not None:
        labels["identity"] = np.unique(people, return_inverse=True)[1].astype(np.int64)
    return Dataset("celeba", pixels, split, attributes, labels, metadata=metadata, warnings=warned)


def _needed(home: Path, stem: str) -> Path:
    path = find(home, stem)
    if path is None:
        raise InputError(
            f"{home} lacks {stem}.txt; put it there as CelebA's authors ship it "
            "(their folders Anno and Eval hold it)."
        )
    return path


def _optional(home: Path, stem: str, images: tuple[str, ...], head: bool) -> np.ndarray | None:
    path = find(home, stem)
    return None if path is None else read_numbers(path, images, head)


def _check_part(part: np.ndarray, images: tuple[str, ...], path: Path) -> None:
    odd = np.flatnonzero(~np.isin(part, (0, 1, 2)))
    if len(odd):
        raise InputError(
            f"{path} puts {images[odd[0]]} into part {part[odd[0]]}, but must say 0, 1 or 2."
        )
    for value, what in ((0, "training"), (2, "test")):
        if not (part == value).any():
            raise InputError(f"{path} has no {what} image (part {value}); get the whole file.")


def _split(part: np.ndarray, identity: np.ndarray | None, validation: str, seed: int) -> np.ndarray:
    """0 train, 1 validation, 2 test, -1 left out, (n,) int8, from the official parts."""
    split = np.full(len(part), LEFT_OUT, dtype=np.int8)
    split[part == 0], split[part == 2] = TRAIN, TEST
    if validation == "official":
        split[part == 1] = VALIDATION
        return split
    train = np.flatnonzero(part == 0)
    owner = train if identity is None else identity[train]
    rng = np.random.default_rng([seed, len(train)])
    split[train[whole_identities(owner, VALIDATED, rng)]] = VALIDATION
    return split


def _pixels(
    home: Path,
    images: tuple[str, ...],
    height: int,
    progress: Progress | None,
    root: str | os.PathLike[str] | None,
) -> tuple[np.ndarray, dict[int, str]]:
    photographs = Photographs(home)
    # Labels may change without a photograph, and photographs without their folder.
    parts = [str(photographs.path.resolve()), height, ALIGNED.box, images]
    parts.append(photographs.facts(images))
    stamp = hashlib.sha256(repr(parts).encode()).hexdigest()[:16]
    name = hashlib.sha256(f"{photographs.path.resolve()} {height}".encode()).hexdigest()[:12]
    store = Path(root) if root is not None else cache_dir() / "celeba"
    return cached_pixels(
        store / name,
        stamp,
        len(images),
        (height, width_of(height), 3),
        lambda i: photographs.read(images[i], height),
        progress,
    )


register_dataset(
    DatasetInfo(
        name="CelebA",
        title="CelebA",
        description="A folder with the files of CelebA: 202,599 faces, 40 attributes, identities.",
        load=load_celeba,
        kind="attributes",
        recognize=is_celeba,
        targets=celeba_targets,
        image_size=55,
        grad_clip_norm=GRAD_CLIP_NORM,
        order=10,
    )
)
