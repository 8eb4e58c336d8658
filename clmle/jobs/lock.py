"""Locks between processes: the system releases a lock when the process that holds it ends."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from clmle.errors import InputError
from clmle.files import as_sentence
from clmle.run_folder import RunFolder


@contextmanager
def file_lock(path: Path, held: str, timeout: float = 0.0) -> Iterator[None]:
    """Hold the lock file ``path``, whose folder is made if needed."""
    from filelock import FileLock, Timeout

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path)
        lock.acquire(timeout=timeout)
    except Timeout as error:
        raise InputError(held) from error
    except OSError as error:
        raise as_sentence(error, path) from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def run_lock(run: RunFolder, is_main: bool = True) -> Iterator[None]:
    """Hold a run folder while it is trained; of several processes only the main one holds it."""
    if not is_main:
        yield
        return
    held = f"Another process is training run {run.name}; wait until it ends, or stop it."
    with file_lock(run.path / ".training", held):
        yield
