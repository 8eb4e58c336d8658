"""Features and labels from the files that ``clmle features`` writes, or from plain arrays."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unicodedata import normalize

import numpy as np

from clmle.data.folder.table import decoded
from clmle.data.folder.targets import one_spelling
from clmle.data.parquet_size import check_size
from clmle.errors import InputError
from clmle.file_rows import open_rows
from clmle.files import as_sentence, read_arrays

MOST_DIMENSIONS = 65_536  # readers of tables take minutes for more columns
MOST_LETTERS = 1000  # of a label


def read_features(path: str | Path) -> tuple[np.ndarray, Any]:
    """Features (n, d) and labels (n,), or None where the file has none.

    .npz: arrays ``features`` and ``label``; .parquet and .csv: columns f0, f1, ... and label; .npy:
    features alone, read when they are used. Nothing is unpickled.
    """
    file = Path(path)
    if file.suffix not in READERS:
        raise InputError(f"{file} must end in one of {', '.join(READERS)}.")
    features, labels = _reading(file)
    if features.ndim != 2:
        raise InputError(f"{file} must hold features as (rows, dimensions), not {features.shape}.")
    return features, labels if labels is None else _flat(labels, file)


def _reading(file: Path) -> tuple[np.ndarray, Any]:
    try:
        return READERS[file.suffix](file)
    except OSError as error:
        raise as_sentence(error, file) from error
    except InputError:
        raise
    except Exception as error:  # readers raise many kinds of errors on a damaged file
        raise InputError(
            f"{file} cannot be read as {file.suffix} ({error}); write it again."
        ) from error


def _from_archive(file: Path) -> tuple[np.ndarray, Any]:
    arrays = read_arrays(file, ("features", "label", "labels"), "write it again")
    if "features" not in arrays:
        raise InputError(f"{file} holds no array called features.")
    return arrays["features"], arrays.get("label", arrays.get("labels"))


def _from_array(file: Path) -> tuple[np.ndarray, None]:
    return open_rows(file), None


def _flat(labels: np.ndarray, file: Path) -> np.ndarray:
    if labels.ndim != 1:
        raise InputError(f"{file} must hold one label for each row, not {labels.shape}.")
    return labels


def _from_table(file: Path) -> tuple[np.ndarray, Any]:
    import pandas as pd

    if file.suffix == ".csv":
        with open(file, "rb") as lines:
            columns = lines.readline(20 * MOST_DIMENSIONS).count(b",") + 1
        if columns > MOST_DIMENSIONS + 1000:
            raise InputError(
                f"{file} has {columns:,} columns or more; at most {MOST_DIMENSIONS:,} are read."
            )
    else:
        check_size(file)
    frame = pd.read_csv(file) if file.suffix == ".csv" else pd.read_parquet(file)
    names = [f"f{i}" for i in range(len(frame.columns)) if f"f{i}" in frame]
    if not names:
        raise InputError(f"{file} has no columns f0, f1, ... of features.")
    labels = np.asarray(frame["label"]) if "label" in frame else None
    return np.asarray(frame[names], dtype=np.float32), labels


READERS: dict[str, Callable[[Path], tuple[np.ndarray, Any]]] = {
    ".npz": _from_archive, ".npy": _from_array, ".parquet": _from_table, ".csv": _from_table,
}  # fmt: skip


def read_labels(path: str | Path) -> np.ndarray:
    """Labels (n,) from a .npy file or a text file with one on each line."""
    file = Path(path)
    if file.suffix == ".npy":
        return _flat(_reading(file)[0], file)[:]
    notes: list[str] = []
    try:
        lines = decoded(file, notes).splitlines()
    except ValueError as error:
        raise InputError(f"{file} is no text file with one label on each line.") from error
    except OSError as error:
        raise as_sentence(error, file) from error
    for note in notes:
        warnings.warn(note, stacklevel=2)
    labels = [normalize("NFC", line.strip()) for line in lines]
    for number, label in enumerate(labels, start=1):
        if len(label) > MOST_LETTERS:  # an array of texts is as wide as its longest
            raise InputError(
                f"{file}, line {number} has {len(label):,} letters; a label has at most "
                f"{MOST_LETTERS:,}."
            )
    return np.array(labels)


def numbered(labels: np.ndarray) -> np.ndarray:
    """Labels (n,) as numbers from 0 in order; texts such as 1 and 1.0 are one number."""
    if labels.dtype.kind in "biuf":
        return np.unique(labels, return_inverse=True)[1]
    texts = [str(label).strip() for label in labels.tolist()]
    spelled = one_spelling(sorted(set(texts)))
    index = {text: i for i, text in enumerate(sorted(set(spelled.values())))}
    return np.array([index[spelled[text]] for text in texts], dtype=np.int64)
