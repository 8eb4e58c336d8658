"""Pixels of many image files, read once into a memory-mapped array; a killed reading goes on."""

from __future__ import annotations

import errno
import json
import os
import shutil
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from clmle.errors import InputError
from clmle.files import as_sentence, from_json, write_json

CHUNK = 512  # images between two marks of how far it is
NAMED = 20  # of the images that could not be read
WAITING, READ, PROBLEM = 0, 1, 2

Progress = Callable[[int, int], None]
Read = Callable[[int], "np.ndarray | str"]


def cached_pixels(
    target: Path,
    stamp: str,
    n: int,
    shape: tuple[int, int, int],
    read: Read,
    progress: Progress | None = None,
) -> tuple[np.ndarray, dict[int, str]]:
    """(n, height, width, channels) uint8, a read-only memory map, and what could not be read.

    Parameters
    ----------
    target : path of a folder
        Where the array is kept; complete or absent. Beside it, while it is being filled, lies a
        folder ``.building`` from which a killed reading goes on.
    stamp : str
        Names the source; another stamp than that of an older cache makes a new one.
    n, shape
        How many images, and (height, width, channels) of each.
    read : callable(number)
        The pixels of one image, or one sentence on why there are none; called from threads.
    progress : callable(done, total), optional

    Returns
    -------
    The pixels, zeros where one could not be read, and {number: sentence} of those.

    Raises
    ------
    InputError
        A full disk, or a folder that cannot be used.
    """
    building = target.with_name(f"{target.name}.building")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # Only one process reads; others wait. The lock dies with its holder.
        with _locked(target.with_name(f".{target.name}.lock"), lambda: _watch(building, progress)):
            found = _open(target, stamp, n, shape)
            if found is None:
                _fill(building, stamp, n, shape, read, progress)
                shutil.rmtree(target, ignore_errors=True)
                os.replace(building, target)
                found = _open(target, stamp, n, shape)
    except OSError as error:
        raise as_sentence(error, target) from error
    if found is None:
        raise InputError(f"{target} could not be read again; remove it and try once more.")
    return found


@contextmanager
def _locked(path: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Alone among processes; ``waiting`` is called every second until it is so."""
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
    """Tell how far another process is with its reading."""
    if progress is None:
        return
    try:
        state = np.load(building / "state.npy", mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError):
        return  # about to begin or just done
    progress(int((state != WAITING).sum()), len(state))


def warn_of(problems: dict[int, str], total: int) -> tuple[str, ...]:
    """One warning that names the first images that could not be read; returns its sentence.

    Raises
    ------
    InputError
        None of them could be.
    """
    if not problems:
        return ()
    if len(problems) == total:
        raise InputError(f"None of the {total:,} photographs can be read: {problems[0]}.")
    sentences = [problems[i] for i in sorted(problems)]
    more = len(sentences) - NAMED
    note = (
        f"{len(problems):,} of {total:,} photographs are left out: {'; '.join(sentences[:NAMED])}"
        f"{f'; and {more:,} more' if more > 0 else ''}."
    )
    warnings.warn(note, stacklevel=3)
    return (note,)


def _open(
    target: Path, stamp: str, n: int, shape: tuple[int, int, int]
) -> tuple[np.ndarray, dict[int, str]] | None:
    """What is stored, or None where that is nothing, of another source, or damaged."""
    try:
        meta = from_json((target / "meta.json").read_text(encoding="utf-8"))
        images = np.load(target / "images.npy", mmap_mode="r", allow_pickle=False)
        problems = {int(k): str(v) for k, v in meta["problems"].items()}
    except PermissionError:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    right = meta.get("stamp") == stamp and images.shape == (n, *shape) and images.dtype == np.uint8
    return (images, problems) if right else None


def _fill(
    building: Path,
    stamp: str,
    n: int,
    shape: tuple[int, int, int],
    read: Read,
    progress: Progress | None,
) -> None:
    """Read what is not read yet; ``state`` says of every image how far it is."""
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
            state[rows] = kinds  # after the pixels: what is marked is there
            state.flush()
            done += len(rows)
            if progress is not None:
                progress(done, n)
    reported = dict(filter(None, map(_said, _lines(building / "problems.jsonl"))))
    problems = {int(i): reported.get(int(i), "damaged") for i in np.flatnonzero(state == PROBLEM)}
    # The marks stay: were they removed, a kill before the folder gets its name would cost all.
    write_json(building / "meta.json", {"stamp": stamp, "problems": problems})


def _resumed(
    building: Path, stamp: str, n: int, shape: tuple[int, int, int]
) -> tuple[np.memmap, np.memmap]:
    """Pixels and state of a reading that was cut off, else new ones."""
    mark = building / "stamp.txt"
    try:
        if mark.read_text(encoding="utf-8") == stamp:
            images = np.load(building / "images.npy", mmap_mode="r+", allow_pickle=False)
            state = np.load(building / "state.npy", mmap_mode="r+", allow_pickle=False)
            if images.shape == (n, *shape) and state.shape == (n,):
                return images, state
    except (OSError, ValueError):
        pass
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True)
    _check_room(building, n, shape)
    make = np.lib.format.open_memmap
    images = make(building / "images.npy", mode="w+", dtype=np.uint8, shape=(n, *shape))
    _take_room(building / "images.npy")
    state = make(building / "state.npy", mode="w+", dtype=np.uint8, shape=(n,))
    mark.write_text(stamp, encoding="utf-8")  # last: without it nothing here counts
    return images, state


def _check_room(folder: Path, n: int, shape: tuple[int, int, int]) -> None:
    """An error before the disk is full: a memory map that cannot grow ends the process."""
    needed = n * shape[0] * shape[1] * shape[2]
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise InputError(
            f"The pixels of {n:,} images take {_size(needed)}, but the disk of {folder.parent} "
            f"has {_size(free)} left; free some, choose a smaller image_size, or name another "
            "disk in CLMLE_CACHE."
        )


def _size(n_bytes: int) -> str:
    return f"{n_bytes / 1e9:,.1f} GB" if n_bytes >= 1e9 else f"{n_bytes / 1e6:,.0f} MB"


def _take_room(path: Path) -> None:
    """The disk holds the whole file from now on: others may fill what is left of it meanwhile."""
    if hasattr(os, "posix_fallocate"):
        with open(path, "rb+") as file:
            try:
                os.posix_fallocate(file.fileno(), 0, os.path.getsize(path))
            except OSError as error:
                if error.errno == errno.ENOSPC:
                    raise
                # A file system that cannot promise; most then have room all the same.


def _append(path: Path, lines: list[str]) -> None:
    if lines:
        with open(path, "a", encoding="utf-8") as file:
            file.writelines(["\n", *lines])  # the last line may be half of one: a kill, a full disk


def _said(line: str) -> tuple[int, str] | None:
    """Number and sentence of a line; nothing where it was cut off: that image is read anew."""
    try:
        number, sentence = from_json(line)
    except (ValueError, TypeError):
        return None
    return number, sentence


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []
