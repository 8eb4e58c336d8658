"""A memory-mapped cache of the pixels of many images; an interrupted reading is resumed."""

import errno
import hashlib
import json
import os
import shutil
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from clmle.data.base import Progress
from clmle.errors import InputError
from clmle.files import as_sentence, cache_dir, from_json, write_json

CHUNK = 512  # images between two updates of the state on disk
NAMED = 5  # files that a warning names
WAITING, READ, PROBLEM = 0, 1, 2

Read = Callable[[int], "np.ndarray | str"]


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
    """Read images once into a memory map."""
    building, lock = _building(target), _lock(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # Only one process reads, others wait. A process that ends releases its lock.
        with locked(lock, lambda: _watch(building, progress)):
            found = _open(target, stamp, n, shape)
            if found is None:
                if limit is not None:
                    _keep_below(limit, target, n * int(np.prod(shape)))
                _fill(building, stamp, n, shape, read, progress)
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

    state = _state(_building(target))
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
    state = _state(building)
    if progress is not None and state is not None:
        progress(int((state != WAITING).sum()), len(state))


def _state(building: Path) -> np.ndarray | None:
    """The state of every image; None if the reading has not begun, or has just ended."""
    try:
        return np.asarray(np.load(building / "state.npy", allow_pickle=False))
    except (OSError, ValueError, EOFError):
        return None


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
        images = np.load(target / "images.npy", mmap_mode="r", allow_pickle=False)
        problems = {int(k): str(v) for k, v in meta["problems"].items()}
    except PermissionError:
        raise
    except (OSError, ValueError, EOFError, KeyError, TypeError, AttributeError):
        return None
    right = meta.get("stamp") == stamp and images.shape == (n, *shape) and images.dtype == np.uint8
    if not right:
        return None
    with suppress(OSError):  # the time of the last use; the cache may be read-only
        os.utime(target / "meta.json")
    return images, problems


def _keep_below(limit: int, target: Path, needed: int) -> None:
    """Remove the caches next to ``target`` that were not used for the longest time."""
    if needed > limit:
        raise InputError(
            f"The decoded images take {_size(needed)}, over the limit of {_size(limit)}; choose a "
            "smaller image_size, or set the environment variable CLMLE_CACHE_GB to a larger number."
        )
    others = [p.parent for p in target.parent.glob("*/meta.json") if p.parent != target]
    others.sort(key=lambda folder: (folder / "meta.json").stat().st_mtime)
    sizes = {p: sum(f.stat().st_size for f in p.iterdir() if f.is_file()) for p in others}
    while others and sum(sizes[p] for p in others) + needed > limit:
        shutil.rmtree(others.pop(0), ignore_errors=True)


def _fill(
    building: Path,
    stamp: str,
    n: int,
    shape: tuple[int, int, int],
    read: Read,
    progress: Progress | None,
) -> None:
    """Read the images that are not read yet; ``state`` holds the state of every image."""
    images, state = _resumed(building, stamp, n, shape)
    done = int((state != WAITING).sum())
    if progress is not None:
        progress(done, n)
    with ThreadPoolExecutor() as pool:
        for start in range(0, n, CHUNK):
            rows = start + np.flatnonzero(state[start : start + CHUNK] == WAITING)
            if len(rows) == 0:
                continue
            kinds = np.full(len(rows), READ, dtype=np.uint8)
            lines = []
            for i, pixels in enumerate(pool.map(read, map(int, rows))):
                if isinstance(pixels, str):
                    kinds[i] = PROBLEM
                    lines.append(json.dumps([int(rows[i]), pixels]) + "\n")
                else:
                    images[rows[i]] = pixels
            images.flush()
            _append(building / "problems.jsonl", lines)
            state[rows] = kinds  # after the pixels, so that every marked image is on disk
            state.flush()
            done += len(rows)
            if progress is not None:
                progress(done, n)
    reported = dict(filter(None, map(_parsed, _lines(building / "problems.jsonl"))))
    problems = {int(i): reported.get(int(i), "damaged") for i in np.flatnonzero(state == PROBLEM)}
    # The state stays on disk: without it, a kill before the renaming would lose everything.
    write_json(building / "meta.json", {"stamp": stamp, "problems": problems})


def _resumed(
    building: Path, stamp: str, n: int, shape: tuple[int, int, int]
) -> tuple[np.memmap, np.memmap]:
    """Pixels and state of an interrupted reading, or new ones."""
    mark = building / "stamp.txt"
    try:
        if mark.read_text(encoding="utf-8") == stamp:
            images = np.load(building / "images.npy", mmap_mode="r+", allow_pickle=False)
            state = np.load(building / "state.npy", mmap_mode="r+", allow_pickle=False)
            if images.shape == (n, *shape) and state.shape == (n,):
                return images, state
    except (OSError, ValueError, EOFError):
        pass
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True)
    _check_room(building, n, shape)
    make = np.lib.format.open_memmap
    images = make(building / "images.npy", mode="w+", dtype=np.uint8, shape=(n, *shape))
    _take_room(building / "images.npy")
    state = make(building / "state.npy", mode="w+", dtype=np.uint8, shape=(n,))
    mark.write_text(stamp, encoding="utf-8")  # last, as it makes the folder valid
    return images, state


def _check_room(folder: Path, n: int, shape: tuple[int, int, int]) -> None:
    """Raise before the disk is full: a memory map that cannot grow ends the process."""
    needed = n * shape[0] * shape[1] * shape[2]
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise InputError(
            f"The pixels of {n:,} images take {_size(needed)}, but the disk of {folder.parent} "
            f"has {_size(free)} left; free some space, choose a smaller image_size, or name "
            "another disk in CLMLE_CACHE."
        )


def _size(n_bytes: int) -> str:
    return f"{n_bytes / 1e9:,.1f} GB" if n_bytes >= 1e9 else f"{n_bytes / 1e6:,.0f} MB"


def _take_room(path: Path) -> None:
    """Allocate the whole file, since other processes may fill the disk meanwhile."""
    if hasattr(os, "posix_fallocate"):
        with open(path, "rb+") as file:
            try:
                os.posix_fallocate(file.fileno(), 0, os.path.getsize(path))
            except OSError as error:
                if error.errno == errno.ENOSPC:
                    raise
                # The file system has no allocation; most then have enough space anyway.


def _append(path: Path, lines: list[str]) -> None:
    if lines:
        with open(path, "a", encoding="utf-8") as file:
            file.writelines(["\n", *lines])  # the last line may be incomplete


def _parsed(line: str) -> tuple[int, str] | None:
    """Number and sentence of a line; None for an incomplete line, whose image is read again."""
    try:
        number, sentence = from_json(line)
    except (ValueError, TypeError):
        return None
    return number, sentence


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []
