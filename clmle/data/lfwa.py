"""LFWA: the 13,143 photographs of Labeled Faces in the Wild with 40 attributes."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from clmle.data.base import TEST, TRAIN, VALIDATION, Dataset
from clmle.data.celeba import GRAD_CLIP_NORM
from clmle.data.celeba.images import width_of
from clmle.data.crop import Crop
from clmle.data.pixel_cache import cached_pixels, warn_of
from clmle.data.pixels import content
from clmle.data.registry import DatasetInfo, register_dataset
from clmle.data.splits import whole_identities
from clmle.errors import InputError, shown
from clmle.files import cache_dir, expanded, is_inside

ATTRIBUTES, PARTITION = "lfw_att_40.mat", "indices_train_test.mat"
FOLDERS = ("lfw", "lfw-deepfunneled", "lfw_funneled", "images", "img", "image_path")
# Of the 250 x 250 photographs 145 x 170 pixels: funnelled faces have their eyes at about
# (105, 115) and (145, 115), so that they lie in the crop as CelebA's do.
PHOTOGRAPH = Crop((250, 250), (0.21, 0.178, 0.79, 0.858), "LFW's photographs")
VALIDATED = 0.1  # share of the training images
LEFT_OUT = -1
LARGEST = 10_000_000  # numbers of a variable; the labels are 13,143 x 40
LONGEST = 1000  # characters of a name

Progress = Callable[[int, int], None]


def is_lfwa(folder: str | os.PathLike[str]) -> bool:
    """Whether a folder holds LFWA's table of attributes."""
    home = expanded(folder)
    return home.is_dir() and _find(home, ATTRIBUTES) is not None


def lfwa_attributes(folder: str | os.PathLike[str]) -> tuple[str, ...]:
    """Names of the attributes of a folder that :func:`is_lfwa`."""
    table = _matlab(_needed(expanded(folder), ATTRIBUTES), ("AttrName",))
    return _names(table)


def load_lfwa(
    folder: str | os.PathLike[str],
    *,
    image_size: int = 55,
    seed: int = 0,
    progress: Progress | None = None,
    root: str | os.PathLike[str] | None = None,
) -> Dataset:
    """LFWA from its own files, cropped to 55 x 47 and cached once.

    Parameters
    ----------
    folder : path
        Holds, itself or in folders below, ``lfw_att_40.mat``, ``indices_train_test.mat`` and a
        folder of photographs ``lfw`` (or lfw-deepfunneled, lfw_funneled) with one folder a person.
    image_size : int
        Pixels down, 16 to 250; across there are 47/55 of it.
    seed : int
        Draws the tenth of the training images, whole identities, that is for validation.
    progress : callable(done, total), optional
    root : path, optional
        Where the pixels are kept; :func:`clmle.files.cache_dir` by default.

    Returns
    -------
    Dataset
        ``attributes`` 1, 0, -1 unknown; ``labels`` identity; ``metadata`` file.

    Raises
    ------
    InputError
        A file is missing, cut off or odd. Single photographs that cannot be read are left out
        with one warning that names the first of them.

    References
    ----------
    Liu, Luo, Wang, Tang: Deep Learning Face Attributes in the Wild (ICCV 2015).
    """
    if not 16 <= image_size <= 250:
        raise InputError(f"image_size is {image_size}, but must be from 16 to 250 pixels.")
    home = expanded(folder)
    table_file, part_file = (_needed(home, name) for name in (ATTRIBUTES, PARTITION))
    table = _matlab(table_file, ("AttrName", "name", "label"))
    files = [str(name).replace("\\", "/") for name in table["name"]]
    outside = [name for name in files if not is_inside(home, name)]
    if outside:
        raise InputError(f"{table_file} names {shown(outside[0])}, which lies outside of {home}.")
    labels = _labels(table, table_file)
    split = _split(part_file, files, seed)
    photographs = _photographs(home)
    size = (image_size, width_of(image_size))
    place = repr((str(photographs.resolve()), size))
    facts = [_facts(photographs / name) for name in files]
    stamp = hashlib.sha256(repr((place, PHOTOGRAPH.box, files, facts)).encode()).hexdigest()[:16]
    store = Path(root) if root is not None else cache_dir() / "lfwa"
    pixels, problems = cached_pixels(
        store / hashlib.sha256(place.encode()).hexdigest()[:12],
        stamp,
        len(files),
        (*size, 3),
        lambda i: PHOTOGRAPH.read(files[i], lambda: content(photographs / files[i]), size),
        progress,
    )
    warned = warn_of(problems, len(files))
    split[list(problems)] = LEFT_OUT
    people = np.unique([name.split("/")[0] for name in files], return_inverse=True)
    return Dataset(
        "lfwa",
        pixels,
        split,
        labels,
        {"identity": people[1].astype(np.int64)},
        class_names={"identity": tuple(map(str, people[0]))},
        metadata={"file": np.array(files)},
        warnings=warned,
    )


def _facts(path: Path) -> tuple[int, int] | None:
    """What changes when a photograph does."""
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
    """Attributes by the names that CelebA gives them."""
    return tuple("_".join(str(name).split()) for name in table["AttrName"])


def _split(path: Path, files: list[str], seed: int) -> np.ndarray:
    """0 train, 1 validation, 2 test, -1 left out, (n,) int8."""
    parts = _matlab(path, ("indices_img_train", "indices_img_test"))
    split = np.full(len(files), LEFT_OUT, dtype=np.int8)
    for name, value in (("indices_img_train", TRAIN), ("indices_img_test", TEST)):
        numbers = np.asarray(parts[name], dtype=np.float64).ravel()
        inside = (numbers >= 1) & (numbers <= len(files)) & (numbers % 1 == 0)
        if len(numbers) == 0 or not inside.all():
            odd = "is empty" if len(numbers) == 0 else f"holds {numbers[~inside][0]:g}"
            raise InputError(
                f"{name} of {path} {odd}, but must hold numbers from 1 to {len(files):,}; "
                f"get it together with {ATTRIBUTES}."
            )
        split[numbers.astype(np.int64) - 1] = value  # MATLAB counts from 1
    train = np.flatnonzero(split == TRAIN)
    owner = np.array([files[i].split("/")[0] for i in train])
    rng = np.random.default_rng([seed, len(train)])
    split[train[whole_identities(owner, VALIDATED, rng)]] = VALIDATION
    return split


def _matlab(path: Path, names: tuple[str, ...]) -> dict[str, Any]:
    """Variables of a .mat file, of MATLAB 7.3 (which is HDF5) or before; strings as str."""
    try:
        found = _hdf5(path, names)
        if found is None:
            from scipy.io import loadmat, whosmat

            if any(math.prod(shape) > LARGEST for _, shape, _ in whosmat(path)):
                raise ValueError("a variable is far too large")
            loaded = loadmat(path, variable_names=names, simplify_cells=True)
            found = {n: loaded[n] for n in names if n in loaded}
    except InputError:
        raise
    except Exception as error:  # either reader raises whatever a damaged file leads it to
        raise InputError(
            f"{path} cannot be read ({type(error).__name__}: {error}); it may be cut off: "
            "get it again."
        ) from error
    for name in names:
        if name not in found:
            raise InputError(f"{path} has no variable {name}; it is not LFWA's {path.name}.")
    return found


def _hdf5(path: Path, names: tuple[str, ...]) -> dict[str, Any] | None:
    """As :func:`_matlab`; None where the file is no HDF5."""
    try:
        import h5py
    except ImportError as error:
        raise InputError(
            f"{path} needs the package h5py to be read; install it: pip install h5py."
        ) from error
    if not h5py.is_hdf5(path):
        return None
    found: dict[str, Any] = {}
    with h5py.File(path, "r") as file:
        for name in (n for n in names if n in file):
            if not isinstance(file.get(name, getlink=True), h5py.HardLink):
                raise ValueError(f"{name} is only a link")
            values = _own(file[name], LARGEST)
            if values.dtype == object:  # a cell array: references to texts in UTF-16
                texts = (_own(file[r], LONGEST).ravel() for r in values.ravel())
                found[name] = ["".join(map(chr, text)) for text in texts]
            else:
                found[name] = values
    return found


def _own(stored: Any, most: int) -> np.ndarray:
    """An array of an HDF5 file that is there, not in others, and has at most so many numbers."""
    if stored.external or stored.is_virtual or stored.size > most:
        raise ValueError("it holds an array that is in other files or far too large")
    return np.asarray(stored[()])


def _photographs(home: Path) -> Path:
    for name in FOLDERS:
        for pattern in (name, f"*/{name}", f"*/*/{name}"):
            for path in sorted(home.glob(pattern)):
                if path.is_dir():
                    return path / name if (path / name).is_dir() else path
    raise InputError(
        f"{home} holds no folder {FOLDERS[0]} of photographs; put LFW's there, a folder a person."
    )


def _find(home: Path, name: str) -> Path | None:
    return next((p for d in ("", "*/", "*/*/") for p in sorted(home.glob(d + name))), None)


def _needed(home: Path, name: str) -> Path:
    path = _find(home, name)
    if path is None:
        raise InputError(f"{home} lacks {name}; put it there as LFWA's authors ship it.")
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
