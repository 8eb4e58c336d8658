"""Features and labels from the files that ``clmle embed`` writes, or from plain arrays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from clmle.errors import InputError
from clmle.files import as_sentence, read_arrays

SUFFIXES = (".npz", ".npy", ".parquet", ".csv")


def read_features(path: str | Path, *, mapped: bool = False) -> tuple[np.ndarray, Any]:
    """Features (n, d) and labels (n,), or None where the file has none.

    .npz: arrays ``features`` and ``label``; .parquet and .csv: columns f0, f1, ... and label; .npy:
    features alone, as a memory map where ``mapped``. Nothing is unpickled.

    Raises
    ------
    InputError
        The file is absent, damaged, of another kind, or holds no features.
    """
    file = Path(path)
    if file.suffix not in SUFFIXES:
        raise InputError(f"{file} must end in one of {', '.join(SUFFIXES)}.")
    try:
        if file.suffix == ".npz":
            arrays = read_arrays(file, ("features", "label"))
            if "features" not in arrays:
                raise InputError(f"{file} holds no array called features.")
            return arrays["features"], arrays.get("label")
        if file.suffix != ".npy":
            return _from_table(file)
        array = np.load(file, mmap_mode="r" if mapped else None, allow_pickle=False)
        if not isinstance(array, np.ndarray):
            raise ValueError("it holds several arrays by name")
        return array, None
    except OSError as error:
        raise as_sentence(error, file) from error
    except InputError:
        raise
    except Exception as error:  # readers fail in many ways where a file lies
        raise InputError(
            f"{file} cannot be read as {file.suffix} ({error}); write it anew."
        ) from error


def _from_table(file: Path) -> tuple[np.ndarray, Any]:
    import pandas as pd

    frame = pd.read_csv(file) if file.suffix == ".csv" else pd.read_parquet(file)
    names = [f"f{i}" for i in range(len(frame.columns)) if f"f{i}" in frame]
    if not names:
        raise InputError(f"{file} has no columns f0, f1, ... of features.")
    labels = np.asarray(frame["label"]) if "label" in frame else None
    return np.asarray(frame[names], dtype=np.float32), labels


def read_labels(path: str | Path) -> np.ndarray:
    """Labels (n,) from a .npy file or a text file with one on each line."""
    file = Path(path)
    if file.suffix == ".npy":
        labels, _ = read_features(file)
        return labels
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise InputError(f"{file} is no text file with one label on each line.") from error
    except OSError as error:
        raise as_sentence(error, file) from error
    return np.array([line.strip() for line in lines])
