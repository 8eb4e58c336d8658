"""Data sets, found by name or by the path of a folder."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from typing import Any

import numpy as np

from clmle.data.base import SPLITS, UNKNOWN, Dataset
from clmle.data.celeba import celeba_attributes, is_celeba, load_celeba
from clmle.data.digits import load_digits
from clmle.data.folder import load_folder
from clmle.data.lfwa import is_lfwa, lfwa_attributes, load_lfwa
from clmle.data.recognition import (
    is_recordio,
    load_identities,
    load_recordio,
    looks_like_identities,
)
from clmle.data.solar_cells import load_solar_cells
from clmle.data.toonfaces import load_toonfaces, load_toonfaces_identities
from clmle.errors import InputError, quoted
from clmle.files import expanded

_DATASETS: dict[str, Callable[..., Dataset]] = {
    "toonfaces": load_toonfaces,
    "digits": load_digits,
    "solar-cells": load_solar_cells,
    "toonfaces-identities": load_toonfaces_identities,
}


def dataset_names() -> tuple[str, ...]:
    """Data sets that need no files of one's own (solar-cells: a package)."""
    return tuple(_DATASETS)


def load_dataset(name: str, *, identities: bool = False, **options: Any) -> Dataset:
    """A data set by name, or the folder at a path.

    A folder is CelebA's or LFWA's own, one with ``train.rec``, one of identities (a sub-folder for
    each, at least 100 or as ``identities`` says), or any other of images. ``options`` go to the
    loader; what it does not know is an InputError.
    """
    if name in _DATASETS:
        load = _DATASETS[name]
    elif not os.path.isdir(expanded(name)):  # says no, too, to what is no path at all
        raise InputError(
            f"There is no data set or folder {quoted(name)}; "
            f"give one of {', '.join(_DATASETS)}, or the path of a folder of images."
        )
    elif is_celeba(name):
        load = load_celeba
    elif is_lfwa(name):
        load = load_lfwa
    elif is_recordio(name):
        load = load_recordio
    elif "labels" not in options and (identities or looks_like_identities(name)):
        load = load_identities
    else:
        load = load_folder
    known = inspect.signature(load).parameters
    for option in options:
        if option not in known:
            raise InputError(f"{name} has no option {option!r}; it has: {', '.join(known)}.")
    return load(**options) if name in _DATASETS else load(name, **options)


def face_attributes(folder: str) -> tuple[str, ...] | None:
    """Attributes of a folder that holds CelebA's or LFWA's own files; None of any other."""
    if is_celeba(folder):
        return celeba_attributes(folder)
    return lfwa_attributes(folder) if is_lfwa(folder) else None


def describe(dataset: Dataset) -> list[dict[str, Any]]:
    """One row for each attribute value or class: its name and its images in every split."""
    rows = []
    for target, values in (*dataset.attributes.items(), *dataset.labels.items()):
        if target in dataset.attributes:
            kinds = [(1, target), (0, f"not {target}"), (UNKNOWN, f"{target} unknown")]
        else:
            n_classes = int(values.max(initial=-1)) + 1
            names = dataset.class_names.get(target, tuple(map(str, range(n_classes))))
            kinds = list(enumerate(names))
        # Counted for all values at once: identities are many. UNKNOWN is -1, so counts shift by 1.
        counts = {
            split: np.bincount(values[dataset.split == number].astype(np.int64) + 1)
            for number, split in enumerate(SPLITS)
        }
        for value, name in kinds:
            row: dict[str, Any] = {"target": target, "class": name, "value": int(value)}
            for split, found in counts.items():
                row[split] = int(found[value + 1]) if value + 1 < len(found) else 0
            rows.append(row)
    return rows
