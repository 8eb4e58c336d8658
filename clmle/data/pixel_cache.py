"""A cache of the pixels of many images in a file; an interrupted reading is resumed."""

import hashlib
import os
import shutil
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from clmle.data.base import Progress
from clmle.data.pixel_writing import WAITING, Read, size_text, state_of, write_pixels
from clmle.errors import InputError
from clmle.file_rows import open_rows
from clmle.files import as_sentence, cache_dir, from_json
from clmle.stored_json import fits

NAMED = 5  # files that a warning names
META = {"stamp": str, "problems": {str: str}}


def stored_pixels(
    folder: str,
    key: str,
    facts: Any,
    n: int,
    shape: tuple[int, int, int],
    read: Read,
    progress: Progress | None = None,
    limit: int | None = None,
) -> tuple[np.ndarray, dict[int, str]]:
    """:func:`cached_pixels` in a folder of the cache named after ``key``.

    ``key`` is the source and the size of its images. A change of ``facts`` (names, sizes and times
    of the files, say) makes the pixels be read again. ``limit`` are the bytes that ``folder`` may
    take: what was not used for the longest time is removed.
    """
    target, stamp = cache_dir() / folder / _hash(key)[:12], _hash(repr(facts))[:16]
    return cached_pixels(target, stamp, n, shape, read, progress, limit)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def cached_pixels(
    target: Path,
    stamp: str,
    n: int,
    shape: tuple[int, int, int],
    read: Read,
    progress: Progress | None = None,
    limit: int | None = None,
) -> tuple[np.ndarray, dict[int, str]]:
    """Read images once into a file, of which rows are read when they are used."""
    building, lock = _building(target), _lock(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # Only one process reads, others wait. A process that ends releases its lock.
        with locked(lock, lambda: _watch(building, progress)):
            found = _open(target, stamp, n, shape)
            if found is None:
                if limit is not None:
                    _keep_below(limit, target, n * int(np.prod(shape)))
                write_pixels(building, stamp, n, shape, read, progress)
                shutil.rmtree(target, ignore_errors=True)
                os.replace(building, target)
                found = _open(target, stamp, n, shape)
    except OSError as error:
        raise as_sentence(error, target) from error
    if found is None:
        raise InputError(f"{target} could not be read after writing; remove it and try again.")
    return found


def unfinished(target: Path) -> tuple[int, bool]:
    """How many images of a cache that is not complete are read, and whether a process reads."""
    from filelock import FileLock, Timeout

    state = state_of(_building(target))
    done = 0 if state is None else int((state != WAITING).sum())
    try:
        with FileLock(_lock(target), timeout=0):
            return done, False
    except Timeout:
        return done, True
    except OSError:  # no folder yet
        return done, False


def _building(target: Path) -> Path:
    return target.with_name(f"{target.name}.building")


def _lock(target: Path) -> Path:
    return target.with_name(f".{target.name}.lock")


@contextmanager
def locked(path: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold the lock ``path`` among processes; ``waiting`` is called every second until then."""
    from filelock import FileLock, Timeout

    lock = FileLock(path)
    while not lock.is_locked:
        try:
            lock.acquire(timeout=1.0)
        except Timeout:
            waiting()
    try:
        yield
    finally:
        lock.release()


def _watch(building: Path, progress: Progress | None) -> None:
    """Report the progress of the process that reads."""
    state = state_of(building)
    if progress is not None and state is not None:
        progress(int((state != WAITING).sum()), len(state))


def warn_unreadable(
    problems: Mapping[int, str] | Sequence[str], total: int, what: str
) -> tuple[str, ...]:
    """Warn once of the ``what`` (a plural) that were left out; return the sentence, if any."""
    reasons = [problems[i] for i in sorted(problems)] if isinstance(problems, Mapping) else problems
    if not reasons:
        return ()
    if len(reasons) >= total:
        raise InputError(f"None of the {total:,} {what} can be read: {reasons[0]}.")
    more = f"; and {len(reasons) - NAMED:,} more" if len(reasons) > NAMED else ""
    sentence = (
        f"{len(reasons):,} of {total:,} {what} are left out: {'; '.join(reasons[:NAMED])}{more}."
    )
    warnings.warn(sentence, stacklevel=3)
    return (sentence,)


def _open(
    target: Path, stamp: str, n: int, shape: tuple[int, int, int]
) -> tuple[np.ndarray, dict[int, str]] | None:
    """The cache, or None if there is none, it has another stamp, or it is damaged."""
    try:
        meta = from_json((target / "meta.json").read_text(encoding="utf-8"))
        images = open_rows(target / "images.npy")
    except PermissionError:
        raise
    except (OSError, ValueError, EOFError):
        return None
    if not fits(meta, META) or meta["stamp"] != stamp:
        return None
    problems = {int(k): v for k, v in meta["problems"].items() if k.isdecimal() and len(k) < 10}
    whole = len(problems) == len(meta["problems"]) and max(problems, default=0) < n
    if not whole or images.shape != (n, *shape) or images.dtype != np.uint8:
        return None
    with suppress(OSError):  # the time of the last use; the cache may be read-only
        os.utime(target / "meta.json")
    return images, problems


def _keep_below(limit: int, target: Path, needed: int) -> None:
    """Remove the caches next to ``target`` that were not used for the longest time."""
    if needed > limit:
        raise InputError(
            f"The decoded images take {size_text(needed)}, over the limit of {size_text(limit)}; "
            "choose a smaller image_size, or set the environment variable CLMLE_CACHE_GB to a "
            "larger number."
        )
    others = [p.parent for p in target.parent.glob("*/meta.json") if p.parent != target]
    others.sort(key=lambda folder: (folder / "meta.json").stat().st_mtime)
    sizes = {p: sum(f.stat().st_size for f in p.iterdir() if f.is_file()) for p in others}
    while others and sum(sizes[p] for p in others) + needed > limit:
        shutil.rmtree(others.pop(0), ignore_errors=True)
