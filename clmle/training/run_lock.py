"""One run, one process that trains it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from clmle.errors import InputError
from clmle.files import as_sentence
from clmle.run_folder import RunFolder


@contextmanager
def run_lock(run: RunFolder, is_main: bool = True) -> Iterator[None]:
    """Hold the run's folder while it is trained; the system lets go of it when the process dies.

    Of several processes that train a run together the one that ``leads`` holds it.

    Raises
    ------
    InputError
        Another process holds it, or the folder cannot be written.
    """
    if not is_main:
        yield
        return
    from filelock import FileLock, Timeout

    lock = FileLock(run.path / ".training", timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise InputError(
            f"Another process is training run {run.name}; wait until it ends, or stop it."
        ) from error
    except OSError as error:
        raise as_sentence(error, run.path) from error
    try:
        yield
    finally:
        lock.release()
