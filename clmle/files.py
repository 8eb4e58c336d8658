"""Files that are either whole or absent: nothing half-written ever carries its final name."""

from __future__ import annotations

import errno
import json
import os
import stat
import tempfile
import zipfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from clmle.errors import InputError

UNPACKED = 1 << 28  # bytes that any archive may unpack to


def cache_dir() -> Path:
    """Folder of rendered and converted data: $CLMLE_CACHE, else ~/.cache/clmle."""
    return Path(os.environ.get("CLMLE_CACHE", Path.home() / ".cache" / "clmle"))


def runs_dir() -> Path:
    """Folder of run folders: $CLMLE_RUNS, else ./runs."""
    return Path(os.environ.get("CLMLE_RUNS", "runs"))


def leads_out(path: Path) -> bool:
    """Whether ``path`` is a link to a place outside of the folder that it is in."""
    return path.is_symlink() and not path.resolve().is_relative_to(path.parent.resolve())


def expanded(path: str | os.PathLike[str]) -> Path:
    """``path`` with ~ spelled out, where there is such a person."""
    return Path(os.path.expanduser(path))


def is_inside(folder: str | os.PathLike[str], name: str) -> bool:
    """Whether a list may name a file so: below the folder that the list is about."""
    if "\0" in name or ".." in PurePath(name).parts:
        return False
    return Path(os.path.abspath(Path(folder, name))).is_relative_to(os.path.abspath(folder))


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; on success it takes the name ``path``.

    After an error the temporary file is removed and an older ``path`` stays as it was.

    Raises
    ------
    InputError
        The disk is full or the folder cannot be written.
    """
    path = Path(path)
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
        os.close(handle)
        temporary = Path(name)
        os.chmod(temporary, 0o644)
        yield temporary
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        raise as_sentence(error, path) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def clear_unfinished(folder: str | os.PathLike[str]) -> None:
    """Remove what processes that were killed had begun to write under ``folder``.

    Only for who alone writes there.
    """
    for file in Path(folder).rglob(".*.part"):
        file.unlink(missing_ok=True)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write ``text`` to ``path`` atomically."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: str | os.PathLike[str], value: Any) -> None:
    """Write ``value`` as indented JSON to ``path`` atomically."""
    write_text(path, json.dumps(value, indent=2) + "\n")


def read_json(path: str | os.PathLike[str]) -> Any:
    """Read JSON; a damaged file is named in the error's sentence."""
    _must_end(path)
    try:
        return from_json(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise as_sentence(error, path) from error
    except ValueError as error:
        raise InputError(f"{path} is not readable JSON ({error}); remove or restore it.") from error


def from_json(text: str | bytes) -> Any:
    """The value of a JSON text; whatever is wrong with it is a ValueError."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it is nested far too deep") from None


def read_arrays(
    path: str | os.PathLike[str], names: Collection[str] | None = None
) -> dict[str, np.ndarray]:
    """Arrays of an ``.npz`` file, those of ``names`` it has or all, none of them unpickled.

    Raises
    ------
    InputError
        The file cannot be read, is cut off or damaged, or unpacks to far more than it is.
    """
    _must_end(path)
    try:
        stored = np.load(path, allow_pickle=False)
        if not isinstance(stored, np.lib.npyio.NpzFile):
            raise ValueError("it is one array, not several by name")
        with stored:
            kept = [name for name in stored.files if names is None or name in names]
            _check_unpacked(path)
            arrays = {name: stored[name] for name in kept}
        if not all(isinstance(array, np.ndarray) for array in arrays.values()):
            raise ValueError("it holds something that is no array")
        return arrays
    except OSError as error:
        raise as_sentence(error, path) from error
    except Exception as error:  # zipfile and numpy fail in many ways where a file lies
        why = str(error).split("\n")[0] or type(error).__name__
        raise InputError(f"{path} is damaged ({why}); remove it, it is made again.") from error


def _must_end(path: str | os.PathLike[str]) -> None:
    """An error for what is no file: whoever reads a pipe may wait for ever."""
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return  # told by who opens it
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise InputError(f"{path} is no file; remove it.")


def _check_unpacked(path: str | os.PathLike[str]) -> None:
    """Numbers rarely shrink to a tenth; a file that says so may fill the memory."""
    with zipfile.ZipFile(path) as archive:
        unpacked = sum(member.file_size for member in archive.infolist())
    if unpacked > UNPACKED and unpacked > 20 * os.path.getsize(path):
        raise ValueError(f"it would unpack to {unpacked:,} bytes")


def write_arrays(path: str | os.PathLike[str], arrays: Mapping[str, Any]) -> None:
    """Write arrays as ``.npz`` to ``path`` atomically."""
    with atomic_path(path) as temporary, open(temporary, "wb") as file:
        np.savez(file, **arrays)


def as_sentence(error: OSError, path: str | os.PathLike[str]) -> InputError:
    """An operating system's error about ``path`` as a sentence for the person who met it."""
    # numpy says only that it wrote less than it wanted, without a number of the error.
    short = error.errno is None and "requested and" in str(error)
    if error.errno == errno.ENOSPC or short:
        return InputError(
            f"The disk is full: {path} could not be written; "
            "free some space and run the same command again."
        )
    reason = error.strerror or str(error)
    return InputError(f"{path} cannot be used ({reason}); check the path and its permissions.")
