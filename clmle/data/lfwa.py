"""LFWA: the 13,143 photographs of Labeled Faces in the Wild with 40 attributes."""

import io
import os
from pathlib import Path
from typing import Any

import numpy as np

from clmle.data.base import LEFT_OUT, TEST, TRAIN, Dataset, Progress
from clmle.data.celeba import GRAD_CLIP_NORM
from clmle.data.celeba.images import width_of
from clmle.data.mat import read_mat
from clmle.data.paths import folders_within, within
from clmle.data.pixel_cache import stored_pixels, warn_unreadable
from clmle.data.pixels import Crop, check_image_size, content
from clmle.data.registry import DatasetInfo, register_dataset
from clmle.data.splits import hold_out
from clmle.errors import InputError, shown
from clmle.files import expanded, is_inside

ATTRIBUTES, PARTITION = "lfw_att_40.mat", "indices_train_test.mat"
FOLDERS = ("lfw", "lfw-deepfunneled", "lfw_funneled", "images", "img", "image_path")
# 145 x 170 of the 250 x 250 pixels: the eyes of funneled faces are at about (105, 115) and
# (145, 115), which puts them where they are in the crop of CelebA.
PHOTOGRAPH = Crop((250, 250), (0.21, 0.178, 0.79, 0.858), "LFW's photographs")
VALIDATION_FRACTION = 0.1  # of the training images


def is_lfwa(folder: str | os.PathLike[str]) -> bool:
    """Check whether a folder has LFWA's table of attributes."""
    home = expanded(folder)
    return home.is_dir() and next(within(home, (ATTRIBUTES,)), None) is not None


def lfwa_attributes(folder: str | os.PathLike[str]) -> tuple[str, ...]:
    """Read the names of the attributes of an LFWA folder; no photograph is opened."""
    return _names(read_mat(_needed(expanded(folder), ATTRIBUTES), ("AttrName",)))


def load_lfwa(
    folder: str | os.PathLike[str],
    *,
    image_size: int = 55,
    seed: int = 0,
    progress: Progress | None = None,
) -> Dataset:
    """Load LFWA from the files of its authors, cropped to the face; pixels are cached."""
    check_image_size(image_size, 16, 250)
    home = expanded(folder)
    table_file, part_file = (_needed(home, name) for name in (ATTRIBUTES, PARTITION))
    table = read_mat(table_file, ("AttrName", "name", "label"))
    files = [str(name).replace("\\", "/") for name in table["name"]]
    outside = [name for name in files if not is_inside(home, name)]
    if outside:
        raise InputError(f"{table_file} names {shown(outside[0])}, which lies outside of {home}.")
    labels = _labels(table, table_file)
    names, identity = np.unique([name.split("/")[0] for name in files], return_inverse=True)
    split = _split(part_file, identity, seed)
    folders = folders_within(home, FOLDERS)
    if not folders:
        raise InputError(
            f"{home} has no folder {FOLDERS[0]} of photographs; put LFW's there, with one "
            "sub-folder for each identity."
        )
    photographs = folders[0]
    sides = (image_size, width_of(image_size))

    def read(i: int) -> np.ndarray | str:
        path = photographs / files[i]
        pixels = PHOTOGRAPH.read(lambda: io.BytesIO(content(path)), sides)
        return f"{files[i]} ({pixels})" if isinstance(pixels, str) else pixels

    key = repr((str(photographs.resolve()), sides))
    facts = [_facts(photographs / name) for name in files]
    pixels, problems = stored_pixels(
        "lfwa", key, (key, PHOTOGRAPH.box, files, facts), len(files), (*sides, 3), read, progress,
    )  # fmt: skip
    split[list(problems)] = LEFT_OUT
    return Dataset(
        "lfwa", pixels, split, labels, {"identity": identity.astype(np.int64)},
        class_names={"identity": tuple(map(str, names))}, metadata={"file": np.array(files)},
        warnings=warn_unreadable(problems, len(files), "photographs"),
    )  # fmt: skip


def _facts(path: Path) -> tuple[int, int] | None:
    """Size and time of a file."""
    try:
        state = os.stat(path)
    except OSError:
        return None
    return state.st_size, state.st_mtime_ns


def _labels(table: dict[str, Any], path: Path) -> dict[str, np.ndarray]:
    """{attribute: (n,) int8}."""
    names = _names(table)
    values = np.asarray(table["label"])
    n = len(table["name"])
    if values.shape == (len(names), n) and n != len(names):
        values = values.T
    if values.shape != (n, len(names)):
        raise InputError(
            f"{path} has {n} photographs and {len(names)} attributes, but labels of shape "
            f"{values.shape}; get the file again."
        )
    found = np.full(values.shape, -1, dtype=np.int8)
    found[values == 1], found[values == 0] = 1, 0
    return {name: found[:, a].copy() for a, name in enumerate(names)}


def _names(table: dict[str, Any]) -> tuple[str, ...]:
    """Attributes by CelebA's names."""
    return tuple("_".join(str(name).split()) for name in table["AttrName"])


def _split(path: Path, identity: np.ndarray, seed: int) -> np.ndarray:
    """0 train, 1 validation, 2 test, -1 left out, (n,) int8."""
    parts = read_mat(path, ("indices_img_train", "indices_img_test"))
    split = np.full(len(identity), LEFT_OUT, dtype=np.int8)
    for name, value in (("indices_img_train", TRAIN), ("indices_img_test", TEST)):
        numbers = np.asarray(parts[name], dtype=np.float64).ravel()
        inside = (numbers >= 1) & (numbers <= len(identity)) & (numbers % 1 == 0)
        if len(numbers) == 0 or not inside.all():
            odd = "is empty" if len(numbers) == 0 else f"holds {numbers[~inside][0]:g}"
            raise InputError(
                f"{name} of {path} {odd}, but must hold numbers from 1 to {len(identity):,}; "
                f"get it together with {ATTRIBUTES}."
            )
        split[numbers.astype(np.int64) - 1] = value  # MATLAB indices begin at 1
    hold_out(split, identity, VALIDATION_FRACTION, seed)
    return split


def _needed(home: Path, name: str) -> Path:
    path = next(within(home, (name,)), None)
    if path is None:
        raise InputError(f"{home} lacks {name}; copy it there from LFWA.")
    return path


register_dataset(
    DatasetInfo(
        name="LFWA",
        title="LFWA",
        description="A folder with the files of LFWA: 13,143 faces, 40 attributes, identities.",
        load=load_lfwa,
        kind="attributes",
        recognize=is_lfwa,
        targets=lambda folder: (*lfwa_attributes(folder), "identity"),
        image_size=55,
        grad_clip_norm=GRAD_CLIP_NORM,
        order=11,
    )
)
