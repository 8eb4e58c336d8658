"""Whether what stands beside a run was found with its present weights, whatever the clock said."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np

from clmle.run_folder import RunFolder

KEY = "weights"


def fingerprint(run: RunFolder) -> str:
    """Of the content of its best weights; "" where there are none."""
    try:
        facts = run.model_path.stat()
        return _digest(str(run.model_path.resolve()), facts.st_mtime_ns, facts.st_size)
    except OSError:
        return ""


def of_present_weights(arrays: Mapping[str, np.ndarray], file: Path, run: RunFolder) -> bool:
    """Whether ``arrays``, read from ``file``, carry the fingerprint of the run's weights."""
    if KEY in arrays:
        return str(arrays[KEY]) == fingerprint(run)
    # Written by an earlier version.
    return file.stat().st_mtime >= run.model_path.stat().st_mtime


@lru_cache(maxsize=256)
def _digest(path: str, changed: int, size: int) -> str:
    """Read once for every state of the file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "blake2b").hexdigest()[:32]
