"""Arrays stored with a run, which count as long as the run has the weights they come from."""

import hashlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from clmle.errors import InputError
from clmle.files import from_json, write_json
from clmle.run_folder import RunFolder
from clmle.signed_arrays import read_signed


def fingerprint(run: RunFolder) -> str:
    """Hash of the run's best weights; "" if it has none."""
    try:
        stat = run.model_path.stat()
        return _digest(str(run.model_path.resolve()), stat.st_mtime_ns, stat.st_size)
    except OSError:
        return ""


def read_stored(run: RunFolder, path: Path) -> dict[str, np.ndarray] | None:
    """Arrays of a file of the run; None if it is missing, damaged or from other weights."""
    return read_signed(path, fingerprint(run))


@contextmanager
def reported_in(file: Path) -> Iterator[Callable[[int, int], None]]:
    """A function that writes (done, total) to ``file`` for :func:`reported`; it is removed then."""
    try:
        yield lambda *state: write_json(file, state)
    finally:
        file.unlink(missing_ok=True)


def reported(file: Path) -> tuple[int, int]:
    """What a process last wrote to ``file`` by :func:`reported_in`; zeros if nothing."""
    try:
        done, total = from_json(file.read_text(encoding="utf-8"))
        return int(done), int(total)
    except (OSError, ValueError, TypeError, OverflowError):
        return 0, 0


def exit_code(compute: Callable[..., object], path: str, *arguments: Any) -> int:
    """Call a function with the run at ``path``; an error is printed on stderr."""
    try:
        compute(RunFolder(Path(path)), *arguments)
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


@lru_cache(maxsize=256)
def _digest(path: str, changed: int, size: int) -> str:
    """Computed once for each state of the file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "blake2b").hexdigest()[:32]
