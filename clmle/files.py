"""Atomic writing and checked reading of files: a file is either complete or absent."""

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

UNPACKED = 1 << 28  # bytes to which any archive may unpack


def cache_dir() -> Path:
    """Folder of rendered and decoded images: $CLMLE_CACHE, else ~/.cache/clmle."""
    return Path(os.environ.get("CLMLE_CACHE", Path.home() / ".cache" / "clmle"))


def runs_dir() -> Path:
    """Return the folder of run folders: the environment variable CLMLE_RUNS, else ./runs.

    Returns
    -------
    pathlib.Path

    Examples
    --------
    >>> from clmle import list_runs, runs_dir
    >>> all(run.path.parent == runs_dir() for run in list_runs(runs_dir()))
    True
    """
    return Path(os.environ.get("CLMLE_RUNS", "runs"))


def leads_out(path: Path) -> bool:
    """Whether ``path`` is a link to something outside of its folder."""
    return path.is_symlink() and not path.resolve().is_relative_to(path.parent.resolve())


def expanded(path: str | os.PathLike[str]) -> Path:
    """``path`` with ~ replaced by the home folder, if there is such a user."""
    return Path(os.path.expanduser(path))


def is_inside(folder: str | os.PathLike[str], name: str) -> bool:
    """Whether the relative path ``name``, read from a file, stays below ``folder``."""
    if "\0" in name or ".." in PurePath(name).parts:
        return False
    return Path(os.path.abspath(Path(folder, name))).is_relative_to(os.path.abspath(folder))


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path in the folder of ``path``; on success it is renamed to ``path``.

    After an error the temporary file is removed and an older ``path`` is unchanged.
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
    """Remove temporary files of killed processes; no other process may write to ``folder``."""
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
    """Read a JSON file; an InputError names a damaged one."""
    _must_end(path)
    try:
        return from_json(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise as_sentence(error, path) from error
    except ValueError as error:
        raise InputError(f"{path} is not readable JSON ({error}); remove or restore it.") from error


def read_lines(path: str | os.PathLike[str]) -> list[str]:
    """Lines of a text file; an InputError if it cannot be read as UTF-8."""
    _must_end(path)
    try:
        return Path(path).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read as text ({error}); get it again.") from error


def from_json(text: str | bytes) -> Any:
    """The value of a JSON text; a ValueError if it is invalid or nested too deep."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it is nested far too deep") from None


def read_arrays(
    path: str | os.PathLike[str],
    names: Collection[str] | None = None,
    advice: str = "remove it, it is made again",
) -> dict[str, np.ndarray]:
    """Read the arrays of an ``.npz`` file (those in ``names``, or all) without unpickling.

    ``advice`` ends the sentence about a damaged file.
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
            raise ValueError("it has something that is not an array")
        return arrays
    except OSError as error:
        raise as_sentence(error, path) from error
    except Exception as error:  # zipfile and NumPy raise many types on a damaged file
        why = str(error).split("\n")[0] or type(error).__name__
        raise InputError(f"{path} is damaged ({why}); {advice}.") from error


def _must_end(path: str | os.PathLike[str]) -> None:
    """Raise for anything but a file or folder: reading a pipe may never end."""
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return  # reported where the file is opened
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise InputError(f"{path} is not a file; remove it.")


def _check_unpacked(path: str | os.PathLike[str]) -> None:
    """Raise if a file would unpack to over 20 times its size, which arrays of numbers do not."""
    with zipfile.ZipFile(path) as archive:
        unpacked = sum(member.file_size for member in archive.infolist())
    if unpacked > UNPACKED and unpacked > 20 * os.path.getsize(path):
        raise ValueError(f"it would unpack to {unpacked:,} bytes")


def write_arrays(path: str | os.PathLike[str], arrays: Mapping[str, Any]) -> None:
    """Write arrays as ``.npz`` to ``path`` atomically."""
    with atomic_path(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name, array in arrays.items():  # np.savez cannot store an array called file
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asanyarray(array), allow_pickle=False)


def as_sentence(error: OSError, path: str | os.PathLike[str]) -> InputError:
    """An error of the operating system about ``path`` as a sentence for the user."""
    # NumPy reports a short write without an error number.
    short = error.errno is None and "requested and" in str(error)
    if error.errno == errno.ENOSPC or short:
        return InputError(
            f"The disk is full: {path} could not be written; "
            "free some space and run the same command again."
        )
    reason = error.strerror or str(error)
    return InputError(f"{path} cannot be used ({reason}); check the path and its permissions.")
