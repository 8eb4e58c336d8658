"""The text files of CelebA as its authors ship them: attributes, splits, identities, landmarks.

Each holds one line an image. The first lines of the attribute and landmark lists are the number of
images and the column names; those of the split and identity lists are images already. Copies in
CSV (commas, and a line of column names) are read too, whatever their names end in.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from clmle.data.base import UNKNOWN
from clmle.data.celeba.paths import within
from clmle.errors import InputError, shown

BLANK = 9  # an empty field, before it is UNKNOWN
SHOWN = {"-1": -1, "1": 1, "0": 0, "-1.0": -1, "1.0": 1, "0.0": 0}
SHOWN |= dict.fromkeys(("", "nan", "NaN", "NA", "?"), BLANK)
LONGEST_NAME = 255  # characters of a file's name


@dataclass(frozen=True)
class Table:
    """What one file says: ``images`` names (n,), ``columns`` names (k,), ``values`` (n, k)."""

    path: Path
    images: tuple[str, ...]
    columns: tuple[str, ...]
    values: np.ndarray


def find(folder: Path, stem: str) -> Path | None:
    """``stem``.txt or .csv in ``folder`` or up to two folders below (the authors' Anno, Eval)."""
    table = None
    for path in within(folder, (f"{stem.lower()}.txt", f"{stem.lower()}.csv")):
        if path.is_file() and path.suffix.lower() == ".txt":
            return path
        if path.is_file() and table is None:
            table = path
    return table


def column_names(path: Path) -> tuple[str, ...]:
    """Names of the columns, from the head of a file alone."""
    return _head(path, _lines(path, at_most=2), True).columns


def read_attributes(path: Path) -> Table:
    """1 shown, 0 not shown, -1 unknown, (n, k) int8.

    The authors write 1 and -1. An empty field or NaN is unknown, and so is 0; but in a copy that
    nowhere says -1, 0 is what it has in place of it.
    """
    wanted = "1 or -1 (0 or nothing where it is not known)"
    table = read_table(path, True, SHOWN.__getitem__, wanted, np.int8)
    no = -1 if (table.values == -1).any() else 0
    values = np.full(table.values.shape, UNKNOWN, dtype=np.int8)
    values[table.values == 1], values[table.values == no] = 1, 0
    return Table(path, table.images, table.columns, values)


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
            f"{path} has no line for {shown(missing[0])}, and lacks {len(missing):,} of the "
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
    lines = _lines(path)
    start = _head(path, lines, head)
    body = lines[start.lines :]
    if not body:
        raise InputError(f"{path} holds no line of an image; get it again.")
    width = len(start.columns) or len(start.split(body[0][1])) - 1
    columns = start.columns or tuple(map(str, range(1, width + 1)))
    rows: list[np.ndarray] = []
    images = []
    for number, line in body:
        name, *texts = start.split(line)
        if len(texts) != width:
            raise InputError(
                f"{path}, line {number} ({shown(name)}) has {len(texts)} values, but must have "
                f"{width}; the file may be cut off: get it again."
            )
        if len(name) > LONGEST_NAME:
            raise InputError(f"{path}, line {number} has a name too long for a file's.")
        images.append(name)
        try:
            rows.append(np.array([value(text) for text in texts], dtype=dtype))
        except (KeyError, ValueError, OverflowError):
            text, column = next(
                (t, c) for t, c in zip(texts, columns, strict=True) if not _fits(value, t)
            )
            raise InputError(
                f"{path}, line {number} says {shown(text)!r} for {column} of {shown(name)}, but "
                f"must say {wanted}."
            ) from None
    if start.announced is not None and start.announced != len(body):
        raise InputError(
            f"{path} announces {start.announced:,} images but has lines for {len(body):,}; "
            "get it again."
        )
    if len(set(images)) < len(images):
        raise InputError(f"{path} has two lines for {_twice(images)}; remove one.")
    # Not made beforehand: a hostile head may announce far more columns than there are.
    return Table(path, tuple(images), columns, np.stack(rows))


def _lines(path: Path, at_most: int | None = None) -> list[tuple[int, str]]:
    """Lines that are not empty, each with its number; the first ``at_most`` of them."""
    found = []
    try:
        with open(path, encoding="utf-8-sig") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    found.append((number, line))
                if len(found) == at_most:
                    break
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read as text ({error}); get it again.") from error
    return found


@dataclass(frozen=True)
class Head:
    """How a file begins: the number of images it announces, its columns, and in how many lines."""

    announced: int | None
    columns: tuple[str, ...]
    lines: int
    split: Callable[[str], list[str]] = str.split


def _head(path: Path, lines: list[tuple[int, str]], head: bool) -> Head:
    first = [line for _, line in lines[:2]]
    if first and "," in first[0]:
        words = _by_commas(first[0])
        # A list without column names would lose its first image.
        named = head or not words[-1].isdecimal()
        found = Head(None, tuple(words[1:]) if named else (), int(named), _by_commas)
    elif not head:
        return Head(None, (), 0)
    elif len(first) < 2 or not first[0].strip().isdecimal() or len(first[0].strip()) > 9:
        raise InputError(f"{path} must begin with the number of images and a line of column names.")
    else:
        found = Head(int(first[0]), tuple(first[1].split()), 2)
    if len(set(found.columns)) < len(found.columns):
        raise InputError(f"{path} has two columns {_twice(found.columns)}; get it again.")
    return found


def _by_commas(line: str) -> list[str]:
    """The fields of a line of CSV, without quotes."""
    try:
        return [field.strip() for field in next(csv.reader([line]))]
    except csv.Error:  # of a damaged file: one field, so that its line is named as odd
        return [line]


def _twice(names: tuple[str, ...] | list[str]) -> str:
    return shown(Counter(names).most_common(1)[0][0])


def _fits(value: Callable[[str], int], text: str) -> bool:
    try:
        return abs(value(text)) < 2**31
    except (KeyError, ValueError):
        return False
