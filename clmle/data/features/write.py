"""Write features with what is known of each row, in the formats that are read as data sets."""

import os
from pathlib import Path
from typing import Any

import numpy as np

from clmle.data.base import SPLITS, UNKNOWN, Dataset
from clmle.errors import InputError
from clmle.files import atomic_path, write_arrays

SUFFIXES = (".parquet", ".npz", ".csv", ".npy")
KEPT = ("file", "identity", "group")  # of the metadata


def check_out(path: str | os.PathLike[str]) -> Path:
    """The path of a file to write; an InputError if its ending is not known."""
    out = Path(path)
    if out.suffix not in SUFFIXES:
        raise InputError(f"--out is {out}, but must end in one of {', '.join(SUFFIXES)}.")
    return out


def write_features(
    path: str | os.PathLike[str], features: np.ndarray, columns: dict[str, Any]
) -> None:
    """Write features (n, d) and columns of n values; next to a .npy file goes a table of them."""
    import pandas as pd

    out = check_out(path)
    if out.suffix == ".npz":
        write_arrays(out, {"features": features, **{k: np.array(v) for k, v in columns.items()}})
        return
    frame = pd.DataFrame(columns)
    if out.suffix == ".npy":
        with atomic_path(out) as temporary, open(temporary, "wb") as file:
            np.save(file, features)
        out = out.with_suffix(".csv")
    else:
        named = [f"f{i}" for i in range(features.shape[1])]
        frame = pd.concat([frame, pd.DataFrame(features, columns=named)], axis=1)
    with atomic_path(out) as temporary:
        if out.suffix == ".csv":
            frame.to_csv(temporary, index=False)
        else:
            frame.to_parquet(temporary, index=False)


def columns_of(dataset: Dataset, rows: np.ndarray) -> dict[str, list[str]]:
    """File, groups, split and targets of rows of a data set as text; unknown values are empty.

    A split that was drawn is left out: readers of the table draw it as for the images.
    """
    columns: dict[str, list[str]] = {}
    for name in KEPT:
        if name in dataset.metadata and name not in dataset.targets:
            columns[name] = list(map(str, np.asarray(dataset.metadata[name])[rows].tolist()))
    splits = [*SPLITS, ""]  # -1: in none of them
    if not dataset.drawn_split:
        columns["split"] = [splits[s] for s in dataset.split[rows].tolist()]
    for target in dataset.targets:
        values, names = dataset.values_of(target)
        words = ["0", "1"] if target in dataset.attributes else list(map(str, names))
        columns[target] = ["" if v == UNKNOWN else words[v] for v in values[rows].tolist()]
    return columns
