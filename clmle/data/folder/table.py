"""Tables of labels as spreadsheets and other programs write them, as columns of text."""

import codecs
import csv
import io
import os
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from unicodedata import normalize

from clmle.errors import InputError, shown

MAX_FIELDS = 10_000_000  # of a table in memory, unless the file has as many bytes
MAX_COLUMNS = 65_536
SEPARATORS = (",", ";", "\t", "|", " ")
BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
FORMATS = {
    b"PK\x03\x04": "an Excel or OpenDocument workbook",
    b"\xd0\xcf\x11\xe0": "an Excel workbook",
    b"PAR1": "a Parquet file",
    b"\x1f\x8b": "a compressed file",
    b"SQLite": "a database",
    b"\x89HDF": "an HDF5 file",
    b"{": "JSON",
    b"[": "JSON",
    b"<": "XML or HTML",
}


@dataclass(frozen=True)
class Table:
    """Columns by name, each with the text of every row, and sentences for the user."""

    columns: dict[str, list[str]]
    n_rows: int
    warnings: list[str] = field(default_factory=list)


def read_table(file: Path) -> Table:
    """Read a table with a row of column names; encoding and separator are found out."""
    notes: list[str] = []
    try:
        text = _decoded(file, notes)
        rows = _rows(text)
        head, body = [name.strip() for name in rows[0]] if rows else [], rows[1:]
        if len(head) > MAX_COLUMNS:
            raise ValueError(f"it has {len(head):,} columns; at most {MAX_COLUMNS:,} are read")
        # With short rows, a small file could become a table larger than the memory.
        if len(head) * len(body) > max(MAX_FIELDS, file.stat().st_size):
            raise ValueError(f"most of its rows lack most of its {len(head):,} columns")
        _check(head, body)
    except (OSError, ValueError, csv.Error) as error:
        raise _unreadable(file, error) from error
    short = sum(len(row) < len(head) for row in body)
    if short:
        notes.append(f"{short:,} of {len(body):,} rows of {file} lack cells, read as empty.")
    columns = {
        name or f"column {i + 1}": [_cell(row, i) for row in body]
        for i, name in enumerate(head)
        if name or any(_cell(row, i) for row in body)
    }
    return Table(columns, len(body), notes)


def text_lines(file: Path) -> list[str]:
    """The labels of a list with one on each line, in any of these encodings."""
    notes: list[str] = []
    try:
        lines = _decoded(file, notes).splitlines()
    except (OSError, ValueError) as error:
        raise _unreadable(file, error) from error
    for note in notes:
        warnings.warn(note, stacklevel=2)
    return [_cell([line], 0) for line in lines]


def _unreadable(file: Path, error: Exception) -> InputError:
    return InputError(f"The labels {file} cannot be read ({error}); check the file.")


def _decoded(file: Path, notes: list[str]) -> str:
    """The text of a file in one of the encodings of spreadsheets."""
    if os.path.exists(file) and not file.is_file():  # a pipe may never end
        raise OSError("it is not a file")
    data = file.read_bytes()
    for start, name in FORMATS.items():
        if data.lstrip()[: len(start)] == start:
            raise ValueError(f"it is {name}; save it as CSV")
    for start, encoding in BOMS:
        if data.startswith(start):
            return data.decode(encoding)
    if b"\0" in data:
        even, odd = data[0:2000:2].count(0), data[1:2000:2].count(0)
        if abs(even - odd) < 0.3 * len(data[:1000]) / 2 or len(data) % 2:
            raise ValueError("it has NUL bytes, so that it is no text file")
        return data.decode("utf-16-le" if odd > even else "utf-16-be")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("cp1252")
    word = next(w for w in re.split(r"[\s,;|]+", text) if not w.isascii())
    notes.append(
        f"{file} is not UTF-8 and is read as Windows-1252, for example {shown(word)!r}; if that is "
        "wrong, save it as UTF-8."
    )
    return text


def _rows(text: str) -> list[list[str]]:
    """Rows of the table, cut at the separator that gives the most columns in all first rows."""
    stated = re.match(r"sep=(.)\r?\n", text)  # written by Excel
    if stated:
        text = text[stated.end() :]
    best, n_best = stated[1] if stated else ",", 1
    for separator in () if stated else SEPARATORS:
        first = list(islice(filter(any, _reader(text[:100_000], separator)), 50))
        width = len(first[0]) if first else 0
        even = sum(len(row) == width for row in first) >= 0.9 * len(first)
        if even and width > n_best and (separator != " " or n_best == 1):
            best, n_best = separator, width
    rows = [row for row in _reader(text, best, strict=True) if any(map(str.strip, row))]
    if best != ",":
        rows = [[_point(cell) for cell in row] for row in rows]
    return rows


def _reader(text: str, separator: str, strict: bool = False) -> Iterator[list[str]]:
    lines = io.StringIO(text, newline="")
    return csv.reader(lines, delimiter=separator, skipinitialspace=True, strict=strict)


def _check(head: list[str], body: list[list[str]]) -> None:
    twice = {name for name in head if name and head.count(name) > 1} if len(head) < 1000 else set()
    if twice:
        raise ValueError(f"two of its columns are named {shown(min(twice))!r}")
    for number, row in enumerate(body, start=2):
        if any(map(str.strip, row[len(head) :])):
            raise ValueError(
                f"row {number} has {len(row):,} cells, but there are {len(head):,} column names; "
                "put quotes around cells with a separator"
            )


def _point(cell: str) -> str:
    """A number with a decimal comma, as tables without commas between cells have it."""
    # 1,500 may also be fifteen hundred.
    decimal = re.fullmatch(r"\s*[+-]?(0,\d+|\d+,(\d{1,2}|\d{4,}))\s*", cell)
    return cell.replace(",", ".") if decimal else cell


def _cell(row: list[str], index: int) -> str:
    cell = row[index].strip() if index < len(row) else ""
    return cell if cell.isascii() else normalize("NFC", cell)
