"""Arrays that can be made again: a file with anything else than was written does not count."""

import hashlib
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from clmle.errors import InputError
from clmle.files import read_arrays, write_arrays

KEY = "signature"


def write_signed(path: str | os.PathLike[str], arrays: Mapping[str, Any], source: str = "") -> None:
    """Write arrays with a hash of them and of ``source``, from which they were made."""
    arrays = {name: np.asarray(array) for name, array in arrays.items()}
    write_arrays(path, {**arrays, KEY: np.array(_signature(arrays, source))})


def read_signed(path: str | os.PathLike[str], source: str = "") -> dict[str, np.ndarray] | None:
    """The arrays of a file; None if it is missing, damaged, changed, or from another source."""
    try:
        arrays = read_arrays(path)
    except InputError:
        return None
    stored = str(arrays.pop(KEY, ""))
    return arrays if stored == _signature(arrays, source) else None


def _signature(arrays: Mapping[str, np.ndarray], source: str) -> str:
    """Hash of names, types, shapes and values."""
    found = hashlib.blake2b(source.encode(), digest_size=16)
    for name, array in sorted(arrays.items()):
        found.update(f"\0{name}\0{array.dtype.str}\0{array.shape}\0".encode())
        found.update(array.tobytes())
    return found.hexdigest()
