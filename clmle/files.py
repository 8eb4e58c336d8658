"""Files that are either whole or absent: nothing half-written ever carries its final name."""

from __future__ import annotations

import errno
import json
import os
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from clmle.errors import InputError


def cache_dir() -> Path:
    """Folder of rendered and converted data: $CLMLE_CACHE, else ~/.cache/clmle."""
    return Path(os.environ.get("CLMLE_CACHE", Path.home() / ".cache" / "clmle"))


def runs_dir() -> Path:
    """Folder of run folders: $CLMLE_RUNS, else ./runs."""
    return Path(os.environ.get("CLMLE_RUNS", "runs"))


def leads_out(path: Path) -> bool:
    """Whether ``path`` is a link to a place outside of the folder that it is in."""
    return path.is_symlink() and not path.resolve().is_relative_to(path.parent.resolve())


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
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not readable JSON ({error}); remove or restore it.") from error
    except OSError as error:
        raise as_sentence(error, path) from error


def read_arrays(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """All arrays of an ``.npz`` file, none of them unpickled.

    Raises
    ------
    InputError
        The file cannot be read, is cut off or damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except OSError as error:
        raise as_sentence(error, path) from error
    except (ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(f"{path} is damaged ({error}); remove it, it is made again.") from error


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
