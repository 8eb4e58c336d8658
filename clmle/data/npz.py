"""Images and labels in a ``.npz`` file, as MedMNIST and Keras store them."""

import os
import re
import zipfile
from pathlib import Path

import numpy as np

from clmle.data.array_texts import array_texts
from clmle.data.assemble import Columns, assemble
from clmle.data.base import UNKNOWN, Dataset, Progress
from clmle.data.folder.split_names import WORDS
from clmle.data.pixel_arrays import as_pixels, is_images, resized
from clmle.data.pixels import check_image_size
from clmle.data.registry import DatasetInfo, register_dataset
from clmle.errors import InputError, some
from clmle.files import expanded, read_arrays

LABELS = {"", "label", "labels", "y", "target", "targets", "class", "classes", "lab"}
CLASS_NAMES = {"class_names", "classnames", "label_names", "labelnames", "names", "classes"}


def is_image_npz(path: str | os.PathLike[str]) -> bool:
    """Whether a path is a ``.npz`` file with an array of images, by the headers of its arrays."""
    file = expanded(path)
    if file.suffix.lower() != ".npz" or not file.is_file():
        return False
    try:
        with zipfile.ZipFile(file) as archive:
            return any(len(_shape(archive, name)) >= 3 for name in archive.namelist())
    except Exception:  # zipfile and NumPy raise many types on a damaged file
        return False


def _shape(archive: zipfile.ZipFile, name: str) -> tuple[int, ...]:
    with archive.open(name) as stream:
        version = np.lib.format.read_magic(stream)
        read = {(1, 0): np.lib.format.read_array_header_1_0}.get(
            version, np.lib.format.read_array_header_2_0
        )
        return read(stream)[0]


def load_npz(
    path: str | os.PathLike[str],
    *,
    image_size: int | tuple[int, int] = 28,
    seed: int = 0,
    identities: bool = False,
    progress: Progress | None = None,
) -> Dataset:
    """Load the arrays of images and labels of a file, one pair or one for each split.

    The array with three or four dimensions holds the images; arrays with as many rows are labels
    or other columns: ``train_images`` and ``train_labels``, ``x_test`` and ``y_test``, ``images``
    and ``labels``.
    """
    sides = check_image_size(image_size)
    file = expanded(path)
    arrays = read_arrays(file, advice="write it again with numpy.savez, without objects")
    names = _class_names(arrays)
    parts = _parts(arrays, file)
    pixels, sentences = as_pixels([arrays[image] for image, _ in parts.values()], str(file))
    channels = {p.shape[-1] for p in pixels}
    if len(channels) > 1:
        raise InputError(
            f"The images of {file} have {some(sorted(channels))} channels; store all with the same."
        )
    columns = _columns(arrays, parts, names, file)
    columns.warnings += sentences
    images = np.concatenate([resized(p, sides) for p in pixels])
    if progress is not None:
        progress(len(images), len(images))
    recognized = ", ".join(image for image, _ in parts.values())
    return assemble(
        file.stem, images, columns, seed=seed, identities=identities,
        recognized=f"NumPy arrays {recognized}",
    )  # fmt: skip


def _parts(
    arrays: dict[str, np.ndarray], file: Path
) -> dict[int | None, tuple[str, dict[str, str]]]:
    """For each split (None for all rows) the array of images, and the columns by their names."""
    own: dict[int | None, list[str]] = {}
    for name in arrays:
        own.setdefault(_divided(name)[1], []).append(name)
    images = {s: [n for n in group if arrays[n].ndim >= 3] for s, group in own.items()}
    images = {s: group for s, group in images.items() if group}
    if None in images and len(images) > 1:
        raise InputError(
            f"{file} has images with and without a split in their name "
            f"({some([n for group in images.values() for n in group])}); name all of them alike."
        )
    parts: dict[int | None, tuple[str, dict[str, str]]] = {}
    for split, group in sorted(images.items(), key=lambda item: item[0] or 0):
        if len(group) > 1:
            raise InputError(
                f"{file} has several arrays of images ({some(group)}); keep one for each split."
            )
        if arrays[group[0]].ndim == 4 and not is_images(arrays[group[0]].shape):
            raise InputError(
                f"{group[0]} of {file} has the shape {arrays[group[0]].shape}: volumes or images "
                "with other than 1, 3 or 4 channels are not read; store slices as images."
            )
        n = len(arrays[group[0]])
        columns = {
            _divided(name)[0]: name
            for name in own[split]
            if name not in group and 1 <= arrays[name].ndim <= 2 and arrays[name].size
        }
        short = [name for base, name in columns.items() if len(arrays[name]) != n]
        wrong = [name for name in short if _divided(name)[0] in LABELS]
        if wrong:
            raise InputError(
                f"{file} has {n:,} images in {group[0]}, but {len(arrays[wrong[0]]):,} rows in "
                f"{wrong[0]}; write both again."
            )
        parts[split] = (group[0], {b: name for b, name in columns.items() if name not in short})
    return parts


def _divided(name: str) -> tuple[str, int | None]:
    """A name without the split in it, and the split: y and 0 of ``y_train``."""
    words = [w for w in re.split(r"[\W_]+", name.lower()) if w]
    kinds = {WORDS[w] for w in words if w in WORDS}
    if len(kinds) != 1:
        return "_".join(words), None
    return "_".join(w for w in words if w not in WORDS), kinds.pop()


def _class_names(arrays: dict[str, np.ndarray]) -> tuple[str, ...]:
    """Names of the classes, where an array of words has them; it is taken out."""
    for name in list(arrays):
        if name.lower() in CLASS_NAMES and arrays[name].dtype.kind in "US" and arrays[name].ndim:
            return tuple(_texts(arrays.pop(name), f"The values {name}"))
    return ()


def _columns(
    arrays: dict[str, np.ndarray],
    parts: dict[int | None, tuple[str, dict[str, str]]],
    names: tuple[str, ...],
    file: Path,
) -> Columns:
    """All columns, with empty values where a split lacks one."""
    bases = list(dict.fromkeys(b for _, columns in parts.values() for b in columns))
    found = Columns()
    if None not in parts:
        found.split = [s or 0 for s, (image, _) in parts.items() for _ in range(len(arrays[image]))]
    if not bases:
        raise InputError(
            f"{file} has images, but no labels: an array such as labels or train_labels with one "
            f"row for each image; its arrays are: {some(arrays)}."
        )
    for base in bases:
        blocks = [
            arrays[columns[base]].reshape(len(arrays[image]), -1) if base in columns else None
            for image, columns in parts.values()
        ]
        sizes = [len(arrays[image]) for image, _ in parts.values()]
        _add(found, "label" if base in LABELS else base, blocks, sizes, names, file)
    return found


def _add(
    found: Columns,
    name: str,
    blocks: list[np.ndarray | None],
    sizes: list[int],
    names: tuple[str, ...],
    file: Path,
) -> None:
    """Add a column (n, 1), or the binary columns (n, L) of several labels."""
    widths = {block.shape[1] for block in blocks if block is not None}
    if len(widths) > 1:
        raise InputError(f"{name} of {file} has {some(sorted(widths))} columns; write it again.")
    width = widths.pop()
    if width == 1:
        texts = [
            _texts(block[:, 0], f"The values {name} of {file}") if block is not None else [""] * n
            for block, n in zip(blocks, sizes, strict=True)
        ]
        found.texts[name] = [text for part in texts for text in part]
        _name_classes(found, name, names, file)
        return
    given = [block for block in blocks if block is not None]
    if not all(b.dtype.kind in "biuf" and np.isin(b, (0, 1, UNKNOWN)).all() for b in given):
        raise InputError(
            f"{name} of {file} has {width} columns with other values than 0 and 1; store one class "
            "number for each image, or 0 and 1 for each of several attributes."
        )
    filled = [
        block if block is not None else np.full((n, width), UNKNOWN)
        for block, n in zip(blocks, sizes, strict=True)
    ]
    values = np.concatenate(filled)
    known = values[(values != UNKNOWN).all(axis=1)]
    if len(known) and (known.sum(axis=1) == 1).all():
        codes = np.where((values == UNKNOWN).any(axis=1), UNKNOWN, values.argmax(axis=1))
        found.texts[name] = ["" if c < 0 else str(c) for c in codes.tolist()]
        found.warnings.append(f"{name} has a single 1 in each row and is read as {width} classes.")
        _name_classes(found, name, names, file)
        return
    for i in range(width):
        title = names[i] if len(names) == width else f"{name}_{i}"
        found.attributes[title] = values[:, i].astype(np.int8)


def _name_classes(found: Columns, name: str, names: tuple[str, ...], file: Path) -> None:
    """Give class numbers from 0 the names of the file."""
    texts = found.texts[name]
    if not names or name != "label" or not all(t.isdecimal() for t in texts if t):
        return
    # A number of more digits is too large in any case.
    codes = np.array([int(t[:18]) if t else UNKNOWN for t in texts], dtype=np.int64)
    if codes.max() >= len(names):
        raise InputError(
            f"{file} has class number {codes.max()}, but {len(names)} class names; write it again."
        )
    found.classes[name] = (codes, names)


def _texts(values: np.ndarray, where: str) -> list[str]:
    """Labels as text, numbers from 0 without a point; missing ones are empty."""
    texts = array_texts(values, where)
    if values.dtype.kind == "f":
        texts = [text.removesuffix(".0") for text in texts]
    return ["" if text == str(UNKNOWN) else text for text in texts]


register_dataset(
    DatasetInfo(
        name="NumPy file with images",
        title="NumPy file with images",
        description="A .npz file with arrays of images and labels, as MedMNIST.",
        load=load_npz,
        recognize=is_image_npz,
        image_size=28,
        order=16,
    )
)
