"""Features from NumPy's files: one array (.npy), or several by name (.npz)."""

import re
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from clmle.data.array_texts import array_texts
from clmle.data.base import SPLITS
from clmle.data.features.content import NAMES, FeatureFile
from clmle.errors import InputError, some
from clmle.file_rows import open_rows
from clmle.files import read_arrays

SPLIT_WORDS = {split: split for split in SPLITS} | {"val": "validation", "valid": "validation"}
Header = tuple[tuple[int, ...], np.dtype]  # shape and type


def npy_dim(file: Path) -> int | None:
    """Number of features of a .npy file."""
    array = np.load(file, mmap_mode="r", allow_pickle=False)
    return array.shape[1] if array.ndim == 2 and array.dtype.kind in "fiu" else None


def read_npy(file: Path) -> FeatureFile:
    """The features, whose rows are read when they are used."""
    return FeatureFile(open_rows(file))


def npz_dim(file: Path) -> int | None:
    """Number of features of a .npz file, from the headers of its arrays."""
    headers: dict[str, Header] = {}
    with zipfile.ZipFile(file) as archive:
        for member in archive.namelist():
            with archive.open(member) as stream:
                version = np.lib.format.read_magic(stream)
                of = "read_array_header_1_0" if version == (1, 0) else "read_array_header_2_0"
                shape, _, dtype = getattr(np.lib.format, of)(stream)
                headers[member.removesuffix(".npy")] = (shape, dtype)
    names = _feature_names(headers)
    return headers[names[0]][0][1] if names else None


def read_npz(file: Path) -> FeatureFile:
    """Features and the arrays of as many values; ``X_train``, ``y_train``, ... make one table."""
    stored = read_arrays(file, advice="write it again")
    names = _feature_names({name: (a.shape, a.dtype) for name, a in stored.items()})
    if not names:
        raise InputError(f"{file} has no array of features (n, d), such as one called features.")
    columns: dict[str, list[str]] = {}
    used = {*names, *(name for name, array in stored.items() if array.ndim == 0)}
    for name in names:
        split, n = _divided(name)[1], len(stored[name])
        if split:
            columns.setdefault("split", []).extend([split] * n)
        for other, array in stored.items():
            base, own = _divided(other)
            if other not in used and own == split and array.shape in ((n,), (n, 1)):
                used.add(other)
                values = array_texts(array.reshape(-1), f"The values {other} of {file}")
                columns.setdefault(base if split else other, []).extend(values)
    features = stored[names[0]]
    if len(names) > 1:
        features = np.concatenate([stored[name] for name in names])
    incomplete = [name for name, values in columns.items() if len(values) != len(features)]
    if incomplete:
        raise InputError(
            f"{file} has {incomplete[0]} for some of its splits only; write it for all of "
            f"{', '.join(names)}."
        )
    unused = sorted(set(stored) - used)
    sentence = f"Not used, since they have no value for each row of features: {some(unused, 5)}."
    return FeatureFile(features, columns, [sentence] if unused else [])


def _feature_names(headers: Mapping[str, Header]) -> list[str]:
    """The arrays of features, one or one for each split: by name, else the only matrix."""
    matrices = [n for n, (shape, t) in headers.items() if len(shape) == 2 and t.kind in "fiu"]
    wide = [n for n in matrices if headers[n][0][1] > 1]
    for name in NAMES:
        found = [n for n in wide if _divided(n)[0] == name]
        if found:
            whole = [n for n in found if not _divided(n)[1]]
            return whole[:1] or found
    return wide if len(wide) == 1 and headers[wide[0]][1].kind == "f" else []


def _divided(name: str) -> tuple[str, str]:
    """An array's name without the split in it, and the split: y and train of ``y_train``."""
    words = re.split(r"[\W_]+", name.lower())
    splits = [SPLIT_WORDS[word] for word in words if word in SPLIT_WORDS]
    if len(splits) != 1 or len(words) == 1:
        return name.lower(), ""
    return "_".join(word for word in words if word not in SPLIT_WORDS), splits[0]
