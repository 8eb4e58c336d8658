"""Rows of a large ``.npy`` file, read from the file when they are used.

A memory map ends the process (SIGBUS) when it is read after its file became shorter. Here an index
of rows reads the file and reports that; only operations on the whole array use a memory map.
"""

import os
import weakref
from typing import IO, Any, cast

import numpy as np

from clmle.errors import InputError


class FileRows(np.memmap):
    """A read-only memory map whose rows, indexed or sliced, are copies read from the file."""

    _file: int | None = None  # descriptor of the whole array; arrays made from it are ordinary
    _first = 0  # byte at which its values begin

    def __array_finalize__(self, other: Any) -> None:
        """Forget the file in views and results."""
        super().__array_finalize__(other)
        self._file = None

    def __array_wrap__(self, array: Any, context: Any = None, return_scalar: bool = False) -> Any:
        """Results are ordinary arrays and numbers."""
        return array[()] if return_scalar else np.asarray(array)

    def __getitem__(self, key: Any) -> Any:
        """Rows at whole numbers, a slice or a mask."""
        rest: Any = ()
        if isinstance(key, tuple) and key and isinstance(key[0], int | np.integer):
            key, rest = key[0], key[1:]
        if self._file is None or not isinstance(key, int | np.integer | slice | list | np.ndarray):
            return super().__getitem__(key)
        if isinstance(key, slice):
            start, stop, step = key.indices(len(self))
            rows = np.arange(start, stop, step)
        else:
            rows = np.asarray(key)
            if rows.dtype == bool and rows.shape == (len(self),):
                rows = np.flatnonzero(rows)
        if rows.dtype.kind not in "iu":
            return super().__getitem__(key)
        found = self._read(rows.reshape(-1)).reshape(*rows.shape, *self.shape[1:])
        return found[rest] if rest or not found.ndim else found

    def _read(self, rows: np.ndarray) -> np.ndarray:
        """Copies of rows (k,), those that follow each other at once."""
        n = len(self)
        rows = rows.astype(np.int64)
        rows[rows < 0] += n
        if len(rows) and not 0 <= rows.min() <= rows.max() < n:
            raise IndexError(f"There are {n:,} rows; there is no row {rows.min()} to {rows.max()}.")
        found = np.empty((len(rows), *self.shape[1:]), self.dtype)
        width = found.nbytes // max(1, len(rows))
        if not found.nbytes:
            return found
        target = found.reshape(-1).view(np.uint8).data
        starts = np.flatnonzero(np.diff(rows, prepend=rows[0] - 2) != 1)
        ends = np.append(starts[1:], len(rows))
        file = cast(int, self._file)
        offsets = (self._first + rows[starts] * width).tolist()
        for a, b, offset in zip((starts * width).tolist(), (ends * width).tolist(), offsets):  # noqa: B905
            while a < b:
                taken = os.preadv(file, [target[a:b]], offset)
                if not taken:
                    raise InputError(
                        f"{self.filename} has become shorter while it is read; write it again, "
                        "and start again when it is complete."
                    )
                a, offset = a + taken, offset + taken
        return found


def open_rows(path: str | os.PathLike[str]) -> np.ndarray:
    """The array of a ``.npy`` file, of which only the rows that are used are read.

    Raises a ValueError, an EOFError or an OSError if it holds no whole array of plain values.
    """
    with open(path, "rb") as file:
        shape, dtype, first, in_order = npy_header(file)
        if not in_order or not shape or 0 in shape or not hasattr(os, "preadv"):
            if hasattr(os, "preadv"):
                found: np.ndarray = np.load(path, allow_pickle=False)
            else:  # Windows keeps a mapped file as it is
                found = np.load(path, mmap_mode="r", allow_pickle=False)
            return found
        rows = FileRows(file, dtype, "r", first, shape)
        rows._file, rows._first = os.dup(file.fileno()), first
    weakref.finalize(rows, os.close, rows._file)
    rows.filename = os.fspath(path)
    return rows


def npy_header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype, int, bool]:
    """Shape, type, first byte of the values, and whether the last axis varies fastest."""
    version = np.lib.format.read_magic(file)
    if version == (1, 0):
        shape, by_columns, dtype = np.lib.format.read_array_header_1_0(file)
    elif version == (2, 0):
        shape, by_columns, dtype = np.lib.format.read_array_header_2_0(file)
    else:
        raise ValueError(f"it has version {version[0]}.{version[1]} of the format")
    if dtype.hasobject:
        raise ValueError("it holds Python objects")
    return shape, dtype, file.tell(), not by_columns or len(shape) == 1
