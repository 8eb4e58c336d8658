"""Pixels of many images written to a file; an interrupted writing is resumed."""

import errno
import json
import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import IO

import numpy as np

from clmle.data.base import Progress
from clmle.errors import InputError
from clmle.file_rows import npy_header, open_rows
from clmle.files import from_json, write_json

CHUNK = 512  # images between two updates of the state on disk
WAITING, READ, PROBLEM = 0, 1, 2

Read = Callable[[int], "np.ndarray | str"]


def write_pixels(
    building: Path,
    stamp: str,
    n: int,
    shape: tuple[int, int, int],
    read: Read,
    progress: Progress | None,
) -> None:
    """Read the images that are not read yet; ``state`` holds the state of every image.

    Files are written, not mapped: a write to a full disk is an error, that to a map ends a process.
    """
    state = _resumed(building, stamp, n, shape)
    done = int((state != WAITING).sum())
    if progress is not None:
        progress(done, n)
    with (
        ThreadPoolExecutor() as pool,
        open(building / "images.npy", "rb+") as images,
        open(building / "state.npy", "rb+") as marks,
    ):
        first, first_mark = npy_header(images)[2], npy_header(marks)[2]
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
                    whole = np.broadcast_to(np.asarray(pixels, dtype=np.uint8), shape)
                    images.seek(first + int(rows[i]) * whole.size)
                    images.write(whole.tobytes())
            _sync(images)
            _append(building / "problems.jsonl", lines)
            state[rows] = kinds  # after the pixels, so that every marked image is on disk
            marks.seek(first_mark + start)
            marks.write(state[start : start + CHUNK].tobytes())
            _sync(marks)
            done += len(rows)
            if progress is not None:
                progress(done, n)
    reported = dict(filter(None, map(_parsed, _lines(building / "problems.jsonl"))))
    problems = {int(i): reported.get(int(i), "damaged") for i in np.flatnonzero(state == PROBLEM)}
    # The state stays on disk: without it, a kill before the renaming would lose everything.
    write_json(building / "meta.json", {"stamp": stamp, "problems": problems})


def _sync(file: IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())


def start_array(file: IO[bytes], shape: tuple[int, ...]) -> None:
    """Write the header of a ``.npy`` file of pixels, which follow."""
    facts = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, facts)


def _resumed(building: Path, stamp: str, n: int, shape: tuple[int, int, int]) -> np.ndarray:
    """State (n,) of the images of an interrupted reading, or of a new one."""
    mark = building / "stamp.txt"
    size = n * int(np.prod(shape))
    try:
        if mark.read_text(encoding="utf-8") == stamp:
            with open(building / "images.npy", "rb") as file:
                found, dtype, first, in_order = npy_header(file)
                right = found == (n, *shape) and dtype == np.uint8 and in_order
                right = right and os.path.getsize(building / "images.npy") == first + size
            state = state_of(building)
            if right and state is not None and len(state) == n:
                return state
    except (OSError, ValueError, EOFError):
        pass
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True)
    _check_room(building, n, shape)
    with open(building / "images.npy", "wb") as file:
        start_array(file, (n, *shape))
        file.truncate(file.tell() + size)
    _take_room(building / "images.npy")
    state = np.zeros(n, dtype=np.uint8)
    np.save(building / "state.npy", state)
    mark.write_text(stamp, encoding="utf-8")  # last, as it makes the folder valid
    return state


def _check_room(folder: Path, n: int, shape: tuple[int, int, int]) -> None:
    """Raise before hours of decoding fill the disk."""
    needed = n * shape[0] * shape[1] * shape[2]
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise InputError(
            f"The pixels of {n:,} images take {size_text(needed)}, but the disk of {folder.parent} "
            f"has {size_text(free)} left; free some space, choose a smaller image_size, or name "
            "another disk in CLMLE_CACHE."
        )


def size_text(n_bytes: int) -> str:
    """Bytes in words."""
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
    with suppress(ValueError):
        match from_json(line):
            case [int(number), str(sentence)]:
                return number, sentence
    return None


def _lines(path: Path) -> list[str]:
    return path.read_text("utf-8", errors="replace").splitlines() if path.exists() else []


def state_of(building: Path) -> np.ndarray | None:
    """The state of every image; None without a whole file, as before the reading and after it."""
    try:
        found: np.ndarray = open_rows(building / "state.npy")[:]
    except (OSError, ValueError, EOFError, IndexError):
        return None
    whole = found.ndim == 1 and found.dtype == np.uint8 and found.max(initial=WAITING) <= PROBLEM
    return found if whole else None
