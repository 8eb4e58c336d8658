"""Features (n, d) and what is known of each row, from a file in any of the formats."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from clmle.data.array_texts import array_texts
from clmle.data.features import arrays, tables
from clmle.data.features.content import FeatureFile
from clmle.data.folder.table import text_lines
from clmle.errors import InputError
from clmle.file_rows import open_rows
from clmle.files import as_sentence, expanded

DIMS: dict[str, Callable[[Path], int | None]] = {
    ".npy": arrays.npy_dim, ".npz": arrays.npz_dim,
    ".parquet": tables.parquet_dim, ".csv": tables.csv_dim, ".tsv": tables.csv_dim,
}  # fmt: skip
READERS: dict[str, Callable[[Path], FeatureFile]] = {
    ".npy": arrays.read_npy, ".npz": arrays.read_npz,
    ".parquet": tables.read_parquet, ".csv": tables.read_csv, ".tsv": tables.read_csv,
}  # fmt: skip
TABLES = (".csv", ".tsv", ".parquet")  # tables next to a .npy file
CHUNK = 1 << 24  # values that are checked at a time
LARGEST = np.finfo(np.float32).max


def feature_dim(path: str | os.PathLike[str]) -> int | None:
    """Number of features d of a file, from its header alone; None if it holds no features."""
    file = expanded(path)
    if file.suffix.lower() not in DIMS or not file.is_file():
        return None
    try:
        return DIMS[file.suffix.lower()](file)
    except Exception:  # readers raise many types for files that hold something else
        return None


def read_features(
    path: str | os.PathLike[str], labels: str | os.PathLike[str] | None = None
) -> FeatureFile:
    """Read a file of features, and ``labels`` or the table next to a .npy file."""
    found = read_rows(path, labels)
    if not found.columns:
        file = expanded(path)
        other = f", or as {file.with_suffix(TABLES[0]).name}" if file.suffix == ".npy" else ""
        raise InputError(
            f"{file} has no labels; give a table or list with one row for each row of features "
            f"with --labels FILE{other}."
        )
    return found


def read_rows(
    path: str | os.PathLike[str], labels: str | os.PathLike[str] | None = None
) -> FeatureFile:
    """Read as :func:`read_features` does a file that may have no labels."""
    file = expanded(path)
    found: FeatureFile = _reading(file, READERS.get(file.suffix.lower()))
    _check(found.features, file)
    if labels:
        found.given.update(_labels(expanded(labels), file, len(found.features)))
        found.columns.update(found.given)
    else:
        for table in _tables_of(file):
            found.columns.update(_labels(table, file, len(found.features)))
    return found


def _tables_of(file: Path) -> list[Path]:
    """The table next to a .npy file, if there is one."""
    candidates = [file.with_suffix(suffix) for suffix in TABLES] if file.suffix == ".npy" else []
    return [path for path in candidates if path.is_file()][:1]


def _reading(file: Path, read: Callable[[Path], Any] | None) -> Any:
    if read is None:
        raise InputError(f"{file} must end in one of {', '.join(READERS)}.")
    try:
        return read(file)
    except InputError:
        raise
    except OSError as error:
        raise as_sentence(error, file) from error
    except Exception as error:  # readers raise many types for a damaged file
        raise InputError(f"{file} cannot be read ({error}); write it again.") from error


def _labels(table: Path, file: Path, n: int) -> dict[str, list[str]]:
    """Columns of a table of labels, or one column ``label`` from a list or array of them."""
    if table.suffix == ".npy":
        array = _reading(table, lambda f: open_rows(f)[...])
        if not array.ndim or array.size != len(array):
            raise InputError(f"{table} must hold one label for each row, not {array.shape}.")
        columns = {"label": array_texts(array.reshape(-1), f"The labels of {table}")}
    elif table.suffix == ".txt":
        columns = {"label": text_lines(table)}
    elif table.suffix == ".parquet":
        columns = _reading(table, tables.parquet_labels)
    else:
        columns = tables.text_columns(table)
    for values in columns.values():
        if len(values) != n:
            raise InputError(
                f"{table} has {len(values):,} rows of labels, but {file} has {n:,} rows of "
                "features; give one for each, in the same order."
            )
    return columns


def _check(features: np.ndarray, file: Path) -> None:
    """Raise for what is no matrix of finite numbers; a memory map is read part by part."""
    if features.ndim != 2 or not features.size or features.dtype.kind not in "fiu":
        raise InputError(
            f"{file} must hold features as numbers (rows, dimensions), not {features.shape} "
            f"{features.dtype}."
        )
    if features.dtype.kind != "f":
        return
    step = max(1, CHUNK // features.shape[1])
    for start in range(0, len(features), step):
        bad = np.flatnonzero(~(np.abs(features[start : start + step]) <= LARGEST).all(axis=1))
        if len(bad):
            raise InputError(
                f"Row {start + bad[0] + 1:,} of {file} has a feature that is not a finite number "
                "of 32 bits; remove or repair such rows."
            )
