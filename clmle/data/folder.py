"""A folder of images: a sub-folder for each class, or images and a CSV file of labels."""

from __future__ import annotations

import csv
import os
import warnings
from concurrent.futures import ThreadPoolExecutor
from itertools import compress
from pathlib import Path

import numpy as np

from clmle.data.base import SPLITS, TEST, TRAIN, UNKNOWN, VALIDATION, Dataset, Progress
from clmle.data.pixel_cache import warn_unreadable
from clmle.data.pixels import check_image_size, read_pixels
from clmle.data.registry import DatasetInfo, register_dataset
from clmle.errors import InputError, shown
from clmle.files import expanded, is_inside

SUFFIXES = {
    ".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm", ".pbm",
}  # fmt: skip
SPLIT_NAMES = {
    "train": TRAIN, "training": TRAIN, "0": TRAIN,
    "val": VALIDATION, "valid": VALIDATION, "validation": VALIDATION, "1": VALIDATION,
    "test": TEST, "testing": TEST, "2": TEST,
}  # fmt: skip
FILE_COLUMNS = ("file", "filename", "file_name", "image", "image_id", "path", "name")
GROUP_COLUMNS = ("identity", "group", "subject", "person")
MAX_FIELDS = 10_000_000  # of a table in memory, unless the file has as many bytes
YES, NO = {"1", "1.0", "true", "yes"}, {"0", "0.0", "-1", "-1.0", "false", "no"}


def load_folder(
    path: str | os.PathLike[str],
    *,
    labels: str | os.PathLike[str] | None = None,
    image_size: int | tuple[int, int] = 40,
    seed: int = 0,
    progress: Progress | None = None,
) -> Dataset:
    """Load a folder of images.

    Images are read with :func:`read_pixels`, cropped to the central square and resized.
    """
    folder = expanded(path)
    if not os.path.isdir(folder):
        raise InputError(f"There is no folder {folder}; check the path.")
    sides = check_image_size(image_size)
    table = _from_csv(folder, Path(labels)) if labels else _from_folders(folder)
    images, kept = _read_all(folder, table["file"], sides, progress)
    table = {name: [values[i] for i in kept] for name, values in table.items()}
    split = _split(table, seed)
    attributes, classes, names = _targets(table, folder)
    return Dataset(
        folder.name,
        images,
        split,
        attributes,
        classes,
        names,
        metadata={"file": np.array(table["file"])},
    )


def _is_image(file: Path) -> bool:
    return file.suffix.lower() in SUFFIXES and not file.name.startswith(".")


def _from_folders(folder: Path) -> dict[str, list[str]]:
    """Columns file, label and, if the folders are named so, split."""
    parts = [p for p in sorted(folder.iterdir()) if p.is_dir() and not p.name.startswith(".")]
    if not parts:
        raise InputError(
            f"{folder} has no sub-folders; put the images of each class into a separate one, or "
            "give a CSV file of labels."
        )
    named = all(p.name.lower() in SPLIT_NAMES for p in parts)
    table: dict[str, list[str]] = {"file": [], "label": []}
    if named:
        table["split"] = []
    for part in parts if named else [folder]:
        for group in sorted(p for p in part.iterdir() if p.is_dir()):
            if group.name.startswith("."):
                continue
            for file in sorted(f for f in group.rglob("*") if _is_image(f)):
                table["file"].append(str(file.relative_to(folder)))
                table["label"].append(group.name)
                if named:
                    table["split"].append(part.name)
    if not table["file"]:
        raise InputError(
            f"{folder} has no image in its sub-folders; expected files such as .png or .jpg."
        )
    return table


def _from_csv(folder: Path, file: Path) -> dict[str, list[str]]:
    """Columns of the CSV file; the column of file names becomes ``file``."""
    file = expanded(file)
    if not os.path.exists(file) and os.path.exists(folder / file):
        file = folder / file
    columns, rows = _csv_rows(file)
    if not rows:
        raise InputError(f"{file} has no row of labels.")
    names = [c for c in columns if c.lower() in FILE_COLUMNS]
    if not names:
        raise InputError(
            f"{file} has no column of file names; call it one of: {', '.join(FILE_COLUMNS)}."
        )
    if len(columns) < 2:
        raise InputError(f"{file} has no column of labels next to {names[0]!r}.")
    files = [_field(row, columns[names[0]]) for row in rows]
    here = [is_inside(folder, name) and os.path.isfile(folder / name) for name in files]
    if not any(here):
        raise InputError(
            f"None of the {len(rows)} files that {file} names is in {folder}; "
            f"the first is {shown(files[0])!r}."
        )
    if not all(here):
        warnings.warn(
            f"{here.count(False)} of the {len(rows)} files that {file} names are not in "
            f"{folder}, the first is {shown(files[here.index(False)])!r}; they are left out.",
            stacklevel=3,
        )
    table = {"file": list(compress(files, here))}
    present = list(compress(rows, here))
    for column, index in columns.items():
        if column != names[0]:
            table[column] = [_field(row, index).strip() for row in present]
    return table


def _csv_rows(file: Path) -> tuple[dict[str, int], list[list[str]]]:
    """Indices of the named columns, and the rows, some of which may be short."""
    try:
        if os.path.exists(file) and not file.is_file():  # a pipe may never end
            raise OSError("it is not a file")
        with open(file, newline="", encoding="utf-8-sig") as handle:
            head, *rows = [row for row in csv.reader(handle) if row] or [[]]
        # With short rows, a small file could become a table larger than the memory.
        if len(head) * len(rows) > max(MAX_FIELDS, file.stat().st_size):
            raise ValueError(f"most of its rows lack most of its {len(head):,} columns")
    except (OSError, ValueError, csv.Error) as error:
        raise InputError(f"The labels {file} cannot be read ({error}); check the path.") from error
    return {name.strip(): i for i, name in enumerate(head) if name.strip()}, rows


def _field(row: list[str], index: int) -> str:
    return row[index] if index < len(row) else ""


def _read_all(
    folder: Path, files: list[str], sides: tuple[int, int], progress: Progress | None
) -> tuple[np.ndarray, list[int]]:
    """Pixels (m, height, width, 3) of the files that can be read, and the indices of those."""
    images = np.empty((len(files), *sides, 3), dtype=np.uint8)
    kept: list[int] = []
    broken: list[str] = []
    with ThreadPoolExecutor() as pool:
        read = pool.map(lambda file: read_pixels(folder / file, sides), files)
        for i, pixels in enumerate(read):
            if isinstance(pixels, str):
                broken.append(f"{shown(Path(files[i]).name)} ({pixels})")
            else:
                images[len(kept)] = pixels
                kept.append(i)
            if progress is not None and (i % 50 == 49 or i + 1 == len(files)):
                progress(i + 1, len(files))
    warn_unreadable(broken, len(files), f"files of {folder}")
    return images[: len(kept)], kept


def _split(table: dict[str, list[str]], seed: int) -> np.ndarray:
    """0, 1 or 2 for every row: as given, else at random with groups kept together."""
    if "split" in table:
        unknown = {v for v in table["split"] if v.lower() not in SPLIT_NAMES}
        if unknown:
            raise InputError(
                f"split {shown(min(unknown))!r} is not known; use one of: {', '.join(SPLITS)}."
            )
        split = np.array([SPLIT_NAMES[v.lower()] for v in table["split"]], dtype=np.int8)
        if VALIDATION not in split and (split == TRAIN).sum() > 1:
            train = np.random.default_rng(seed).permutation(np.flatnonzero(split == TRAIN))
            split[train[: max(1, len(train) // 8)]] = VALIDATION
        return split
    n = len(table["file"])
    group_column = next((c for c in GROUP_COLUMNS if c in table), None)
    strata = table.get("label", [""] * n) if group_column is None else table[group_column]
    split = np.empty(n, dtype=np.int8)
    rng = np.random.default_rng(seed)
    if group_column is not None:
        # Not np.unique, which would store every text at the length of the longest.
        index = {group: i for i, group in enumerate(sorted(set(strata)))}
        draw = rng.random(len(index))[[index[group] for group in strata]]
        return np.select([draw < 0.7, draw < 0.8], [TRAIN, VALIDATION], TEST).astype(np.int8)
    for stratum in sorted(set(strata)):
        members = rng.permutation([i for i, s in enumerate(strata) if s == stratum])
        # Every class of at least three images is in all three splits.
        n_test, n_validation = max(1, len(members) // 5), max(1, len(members) // 10)
        if len(members) < 3:
            n_test = n_validation = 0
        split[members] = TRAIN
        split[members[:n_test]] = TEST
        split[members[n_test : n_test + n_validation]] = VALIDATION
    return split


def _targets(
    table: dict[str, list[str]], folder: Path
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], dict[str, tuple[str, ...]]]:
    """Binary attributes, class labels and names of the classes."""
    attributes, classes, names = {}, {}, {}
    for column, values in table.items():
        if column in ("file", "split", *GROUP_COLUMNS):
            continue
        known = {v.lower() for v in values if v}
        if not known:
            continue
        if known <= YES | NO and column != "label":
            attributes[column] = np.array(
                [UNKNOWN if not v else int(v.lower() in YES) for v in values], dtype=np.int8
            )
        else:
            found = tuple(sorted({v for v in values if v}))
            index = {v: i for i, v in enumerate(found)}
            classes[column] = np.array([index.get(v, UNKNOWN) for v in values], dtype=np.int64)
            names[column] = found
    if not attributes and not classes:
        raise InputError(f"The labels of {folder} have no column of attributes or classes.")
    return attributes, classes, names


register_dataset(
    DatasetInfo(
        name="image folder",
        title="Folder of images",
        description="A sub-folder for each class, or images and a CSV file of labels.",
        load=load_folder,
        recognize=lambda path: os.path.isdir(expanded(path)),
        general=True,
        order=90,
    )
)
