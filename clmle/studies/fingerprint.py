"""Whether a file stored with a run was computed with the run's present weights."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from clmle.run_folder import RunFolder

KEY = "weights"


def fingerprint(run: RunFolder) -> str:
    """Hash of the run's best weights; "" if it has none."""
    try:
        stat = run.model_path.stat()
        return _digest(str(run.model_path.resolve()), stat.st_mtime_ns, stat.st_size)
    except OSError:
        return ""


def of_present_weights(arrays: Mapping[str, np.ndarray], run: RunFolder) -> bool:
    """Whether ``arrays``, read from a file of the run, carry the fingerprint of its weights."""
    return KEY in arrays and str(arrays[KEY]) == fingerprint(run)


@lru_cache(maxsize=256)
def _digest(path: str, changed: int, size: int) -> str:
    """Computed once for each state of the file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "blake2b").hexdigest()[:32]
