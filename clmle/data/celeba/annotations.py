"""The text files of CelebA as its authors ship them: attributes, splits, identities, landmarks.

Each holds one line an image. The first lines of the attribute and landmark lists are the number of
images and the column names; those of the split and identity lists are images already. Copies in
CSV (a header, commas) are read too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from clmle.data.base import UNKNOWN
from clmle.errors import InputError

SHOWN = {"-1": 0, "1": 1, "0": UNKNOWN}  # as written: not shown, shown, not known


@dataclass(frozen=True)
class Table:
    """What one file says: ``images`` names (n,), ``columns`` names (k,), ``values`` (n, k)."""

    path: Path
    images: tuple[str, ...]
    columns: tuple[str, ...]
    values: np.ndarray


def find(folder: Path, stem: str) -> Path | None:
    """``stem``.txt or .csv in ``folder`` or up to two folders below (the authors' Anno, Eval)."""
    for ending in ("txt", "csv"):
        for depth in ("", "*/", "*/*/"):
            for path in sorted(folder.glob(f"{depth}{stem}.{ending}")):
                if path.is_file():
                    return path
    return None


def column_names(path: Path) -> tuple[str, ...]:
    """Names of the columns, from the head of a file alone."""
    separator = "," if path.suffix == ".csv" else None
    lines = [line for line in _text(path).splitlines()[:3] if line.strip()]
    return _head(path, lines, True, separator)[1]


def read_attributes(path: Path) -> Table:
    """1 shown, 0 not shown, -1 unknown, (n, k) int8."""
    return read_table(path, True, SHOWN.__getitem__, "1 or -1 (0 where it is not known)", np.int8)


def read_numbers(path: Path, images: tuple[str, ...], head: bool) -> np.ndarray:
    """Whole numbers (n, k) int32 of ``images``, in their order.

    Raises
    ------
    InputError
        A line is odd, or an image has none; the sentence names it.
    """
    table = read_table(path, head, int, "a whole number", np.int32)
    if table.images == images:
        return table.values
    place = {name: i for i, name in enumerate(table.images)}
    missing = [name for name in images if name not in place]
    if missing:
        raise InputError(
            f"{path} has no line for {missing[0]}, and lacks {len(missing):,} of the "
            f"{len(images):,} images in all; get the whole file."
        )
    return table.values[[place[name] for name in images]]


def read_table(
    path: Path, head: bool, value: Callable[[str], int], wanted: str, dtype: type
) -> Table:
    """The lines of a file; ``head``: the number of images and column names come first.

    ``value`` turns a text into a number, or fails where it is not ``wanted``.

    Raises
    ------
    InputError
        The file is cut off, or a line is odd; the sentence names file and line.
    """
    separator = "," if path.suffix == ".csv" else None
    lines = [line for line in _text(path).splitlines() if line.strip()]
    announced, columns, first = _head(path, lines, head, separator)
    body = lines[first:]
    if not body:
        raise InputError(f"{path} holds no line of an image; get it again.")
    width = len(columns) or len(body[0].split(separator)) - 1
    columns = columns or tuple(map(str, range(width)))
    values: np.ndarray = np.empty((len(body), width), dtype=dtype)
    images = []
    for i, line in enumerate(body):
        name, *texts = (text.strip() for text in line.split(separator))
        if len(texts) != width:
            raise InputError(
                f"{path}, line {i + first + 1} ({name}) has {len(texts)} values, but must have "
                f"{width}; the file may be cut off: get it again."
            )
        images.append(name)
        try:
            values[i] = [value(text) for text in texts]
        except (KeyError, ValueError, OverflowError):
            text, column = next(
                (t, c) for t, c in zip(texts, columns, strict=True) if not _fits(value, t)
            )
            raise InputError(
                f"{path}, line {i + first + 1} says {text!r} for {column} of {name}, but must "
                f"say {wanted}."
            ) from None
    if announced is not None and announced != len(body):
        raise InputError(
            f"{path} announces {announced:,} images but has lines for {len(body):,}; get it again."
        )
    if len(set(images)) < len(images):
        twice = Counter(images).most_common(1)[0][0]
        raise InputError(f"{path} has two lines for {twice}; remove one.")
    return Table(path, tuple(images), columns, values)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read as text ({error}); get it again.") from error


def _head(
    path: Path, lines: list[str], head: bool, separator: str | None
) -> tuple[int | None, tuple[str, ...], int]:
    """The number of images announced, the column names, and how many lines say so."""
    if separator:
        return None, tuple(c.strip() for c in lines[0].split(separator)[1:]) if lines else (), 1
    if not head:
        return None, (), 0
    if len(lines) < 2 or not lines[0].strip().isdigit():
        raise InputError(f"{path} must begin with the number of images and a line of column names.")
    return int(lines[0]), tuple(lines[1].split()), 2


def _fits(value: Callable[[str], int], text: str) -> bool:
    try:
        value(text)
    except (KeyError, ValueError):
        return False
    return abs(int(text)) < 2**31
