"""A folder of images: a sub-folder for each class, or images and a table of labels."""

import os
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np

from clmle.data.base import Dataset, Progress
from clmle.data.folder.assign import complete_split, draw_split
from clmle.data.folder.forms import recognized_form
from clmle.data.folder.labeled import rows_of_only, rows_of_table, tables_of
from clmle.data.folder.layout import rows_of_folders
from clmle.data.folder.reading import copies_of, read_images
from clmle.data.folder.rows import Rows, merged
from clmle.data.folder.scan import SUFFIXES, Scan, printable, scan, sentence
from clmle.data.folder.targets import Targets
from clmle.data.pixel_cache import warn_unreadable
from clmle.data.pixels import check_image_size
from clmle.data.registry import DatasetInfo, register_dataset
from clmle.errors import InputError, shown, some
from clmle.files import expanded

__all__ = ["SUFFIXES", "copies_of", "load_folder", "split_rows"]


def load_folder(
    path: str | os.PathLike[str],
    *,
    labels: str | os.PathLike[str] | None = None,
    image_size: int | tuple[int, int] = 40,
    seed: int = 0,
    progress: Progress | None = None,
    labeled: bool = True,
    value_range: tuple[float, float] | None = None,
) -> Dataset:
    """Load a folder of images.

    Images are read with :func:`read_pixels`, cropped to the central square and resized. With
    ``labeled=False`` a folder of images without classes or a table is read, too; it has no targets.
    ``value_range`` are the values of images with more than 8 bits that become black and white; by
    default those of this folder.
    """
    folder = expanded(path)
    if not os.path.isdir(folder):
        raise InputError(f"There is no folder {folder}; check the path.")
    sides = check_image_size(image_size)
    found = scan(folder)
    rows = rows_of_table(folder, found, labels) if labels else _rows(folder, found, labeled)
    files = rows.files
    read = read_images(folder, files, sides, progress, value_range)
    kept = [i for i in range(len(files)) if i not in read.problems]
    broken = {files[i]: why for i, why in read.problems.items()}
    unread = [f"{shown(Path(file).name)} ({why})" for file, why in broken.items()]
    sentences = list(warn_unreadable(unread, len(files), f"files of {folder}"))
    rows = rows.take(kept)
    targets = Targets(rows.targets)
    if labeled and not targets.attributes and not targets.labels:
        raise InputError(f"The labels of {folder} have no column of attributes or classes.")
    split, notes = split_rows(rows, targets, read.copies, seed)
    more = [*rows.warnings, *targets.warnings, *read.warnings, *notes]
    more += filter(None, [sentence(rows.skipped, folder)])
    for text in more:
        warnings.warn(text, stacklevel=2)
    skipped = merged(rows.skipped, *({why: [file]} for file, why in broken.items()))
    return Dataset(
        folder.resolve().name,
        read.images,
        split,
        targets.attributes,
        targets.labels,
        targets.class_names,
        metadata={"file": np.array([printable(file) for file in rows.files])},
        warnings=[*sentences, *more],
        default=rows.default if rows.default in {**targets.attributes, **targets.labels} else "",
        recognized=rows.recognized,
        skipped={reason: tuple(map(printable, files)) for reason, files in skipped.items()},
        value_range=read.value_range,
    )


def _rows(folder: Path, found: Scan, labeled: bool) -> Rows:
    """Rows of a folder without a given table; without labels if there are none to be had."""
    if not labeled and found.images:
        try:
            return _labeled(folder, found)
        except InputError:
            return Rows(found.images, {}, recognized="images without labels", skipped=found.skipped)
    return _labeled(folder, found)


def _labeled(folder: Path, found: Scan) -> Rows:
    """Rows by the sub-folders, or by the only table in the folder if they name no classes."""
    form = recognized_form(found, sure=True)
    if form:
        raise InputError(f"{folder} cannot be read: {form}.")
    if found.images:
        rows = rows_of_folders(folder, found.images)
        tables = tables_of(folder, found)
        single = rows is not None and len(set(rows.targets["label"])) == 1
        form = recognized_form(Scan(found.images), sure=False) if single else ""
        # A folder for every patient or scene, say, has no classes.
        many = rows is not None and 2 * len(set(rows.targets["label"])) > len(rows.files)
        if rows is None or ((single or many) and tables):
            rows = rows_of_only(tables, folder, found)
        elif form:
            raise InputError(f"{folder} cannot be read: {form}.")
        else:
            rows = replace(rows, skipped=merged(rows.skipped, found.skipped))
            if tables:
                rows.warnings.append(
                    f"The sub-folders of {folder} are read as classes; {some(tables, 3)} names its "
                    "images, too: choose it with --labels (labels=) if it has the classes."
                )
        if rows is not None:
            return rows
    form = recognized_form(found, sure=False)
    if form:
        raise InputError(f"{folder} cannot be read: {form}.")
    inside = any("/" in name for files in found.skipped.values() for name in files)
    if not found.images and inside:
        raise InputError(
            f"{folder} has no image in its sub-folders; expected files such as .png or .jpg."
        )
    raise InputError(
        f"{folder} has no sub-folders that name classes; put the images of each class into a "
        "separate one (inside train, validation and test, if there are such), or give a CSV file "
        "of labels."
    )


def split_rows(
    rows: Rows, targets: Targets, copies: np.ndarray, seed: int
) -> tuple[np.ndarray, list[str]]:
    """Split of each row, and sentences about it; the classes are those of the default target."""
    every = {**targets.attributes, **targets.labels}
    name = rows.default if rows.default in every else next(iter(every), "label")
    labels = np.asarray(every.get(name, np.zeros(len(rows.files))))
    groups = list(rows.groups.values())
    same = np.flatnonzero(copies != np.arange(len(copies)))
    notes = []
    if len(same):
        unlike = int((labels[same] != labels[copies[same]]).sum())
        copy, first = (printable(rows.files[i]) for i in (same[0], copies[same[0]]))
        notes.append(
            f"{len(same):,} images are copies of others ({copy} of {first}, for example) and are "
            "in the same split" + (f"; {unlike:,} of them have another {name}." if unlike else ".")
        )
    if rows.split is None:
        return draw_split(labels, groups, copies, seed), notes
    split, more = complete_split(rows.split, labels, groups, copies, seed)
    return split, [*notes, *more] if (split == rows.split).all() or not more else more


register_dataset(
    DatasetInfo(
        name="image folder",
        title="Folder of images",
        description="A sub-folder for each class, or images and a table of labels.",
        load=load_folder,
        recognize=lambda path: os.path.isdir(expanded(path)),
        general=True,
        order=90,
    )
)
