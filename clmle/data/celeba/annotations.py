"""The text files of CelebA: attributes, split, identities, landmarks.

Every line is about one image. The lists of attributes and landmarks begin with the number of images
and a line of column names; the lists of the split and of identities begin with the first image.
CSV files (commas, and a line of column names) are read as well, whatever their suffix.
"""

import csv
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from clmle.data.base import UNKNOWN
from clmle.data.paths import within
from clmle.errors import InputError, shown

BLANK = 9  # an empty field, before it becomes UNKNOWN
SHOWN = {"-1": -1, "1": 1, "0": 0, "-1.0": -1, "1.0": 1, "0.0": 0}
SHOWN |= dict.fromkeys(("", "nan", "NaN", "NA", "?"), BLANK)
LONGEST_NAME = 255  # characters of a file's name
LONGEST_LINE = 1_000_000  # characters


@dataclass(frozen=True)
class Table:
    """Content of a file: names of ``images`` (n,) and ``columns`` (k,), ``values`` (n, k)."""

    path: Path
    images: tuple[str, ...]
    columns: tuple[str, ...]
    values: np.ndarray


def find(folder: Path, stem: str) -> Path | None:
    """``stem``.txt, else ``stem``.csv, in ``folder`` or up to two levels below (Anno, Eval)."""
    names = (f"{stem.lower()}.txt", f"{stem.lower()}.csv")
    found = [path for path in within(folder, names) if path.is_file()]
    return min(found, key=lambda path: names.index(path.name.lower()), default=None)


def column_names(path: Path) -> tuple[str, ...]:
    """Names of the columns; only the head of the file is read."""
    return _head(path, _lines(path, at_most=2), True).columns


def read_attributes(path: Path) -> Table:
    """1 present, 0 absent, -1 unknown, (n, k) int8.

    The authors write 1 and -1. An empty field, NaN and 0 are unknown, but in a copy without any -1,
    0 means absent.
    """
    wanted = "1 or -1 (0 or nothing if unknown)"
    table = read_table(path, True, SHOWN.__getitem__, wanted, np.int8)
    no = -1 if (table.values == -1).any() else 0
    values = np.full(table.values.shape, UNKNOWN, dtype=np.int8)
    values[table.values == 1], values[table.values == no] = 1, 0
    return Table(path, table.images, table.columns, values)


def read_numbers(path: Path, images: tuple[str, ...], head: bool) -> np.ndarray:
    """Integers (n, k) int32 of ``images``, in their order."""
    table = read_table(path, head, int, "a whole number", np.int32)
    if table.images == images:
        return table.values
    index = {name: i for i, name in enumerate(table.images)}
    missing = [name for name in images if name not in index]
    if missing:
        raise InputError(
            f"{path} has no line for {shown(missing[0])}, and lacks {len(missing):,} of the "
            f"{len(images):,} images in all; get the whole file."
        )
    return table.values[[index[name] for name in images]]


def read_table(
    path: Path, head: bool, value: Callable[[str], int], wanted: str, dtype: type
) -> Table:
    """Parse a file, with or without a ``head``; ``value`` raises for a text not ``wanted``."""
    lines = _lines(path)
    start = _head(path, lines, head)
    body = lines[start.lines :]
    if not body:
        raise InputError(f"{path} has no line of an image; get it again.")
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
                f"{path}, line {number} has {shown(text)!r} for {column} of {shown(name)}, but "
                f"must have {wanted}."
            ) from None
    if start.announced is not None and start.announced != len(body):
        raise InputError(
            f"{path} announces {start.announced:,} images but has lines for {len(body):,}; "
            "get it again."
        )
    if len(set(images)) < len(images):
        raise InputError(f"{path} has two lines for {_twice(images)}; remove one.")
    # Allocated last: a hostile head may announce far more columns than there are.
    return Table(path, tuple(images), columns, np.stack(rows))


def _lines(path: Path, at_most: int | None = None) -> list[tuple[int, str]]:
    """Non-empty lines with their numbers; the first ``at_most`` of them."""
    found = []
    try:
        with open(path, encoding="utf-8-sig") as file:
            for number, line in enumerate(file, start=1):
                if len(line) > LONGEST_LINE:
                    raise InputError(f"{path}, line {number} is too long; get the file again.")
                if line.strip():
                    found.append((number, line))
                if len(found) == at_most:
                    break
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read as text ({error}); get it again.") from error
    return found


@dataclass(frozen=True)
class Head:
    """Head of a file: announced number of images, column names, and how many lines it takes."""

    announced: int | None
    columns: tuple[str, ...]
    lines: int
    split: Callable[[str], list[str]] = str.split


def _head(path: Path, lines: list[tuple[int, str]], head: bool) -> Head:
    first = [line for _, line in lines[:2]]
    if first and "," in first[0]:
        words = _by_commas(first[0])
        # Without column names the first line is already an image.
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
    """Fields of a CSV line, without quotes."""
    try:
        return [field.strip() for field in next(csv.reader([line]))]
    except csv.Error:  # one field, so that the line is reported as invalid
        return [line]


def _twice(names: tuple[str, ...] | list[str]) -> str:
    return shown(Counter(names).most_common(1)[0][0])


def _fits(value: Callable[[str], int], text: str) -> bool:
    try:
        return abs(value(text)) < 2**31
    except (KeyError, ValueError):
        return False
