"""Features from tables (.parquet, .csv): numbered columns, or one column of lists."""

import re
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from clmle.data.features.content import NAMES, FeatureFile
from clmle.data.folder.table import MAX_FIELDS, read_table
from clmle.data.parquet_size import check_rows, check_size
from clmle.errors import InputError

LEAST_INTEGERS = 16  # numbered columns of whole numbers that are features, such as pixels
CHUNK = 1 << 24  # values that are read at a time
MOST_COLUMNS = 65_536  # readers of .csv take minutes for more
SEPARATORS = (b",", b";", b"\t")


def feature_columns(kinds: Sequence[tuple[str, str]]) -> list[str]:
    """The column of lists, or the largest set of numbered columns such as f0, f1, ...

    ``kinds`` are names of columns with "f" for floating point, "i" for whole numbers, "list" for
    lists of numbers. Few columns of whole numbers are classes rather than features.
    """
    lists = [name for name, kind in kinds if kind == "list"]
    if lists:
        named = [name for key in NAMES for name in lists if name.lower() == key]
        return named[:1] or (lists if len(lists) == 1 else [])
    sets: dict[str, dict[int, str]] = {}
    whole: set[str] = set()  # sets with a column of whole numbers, such as a feature that is all 0
    for name, kind in kinds:
        numbered = re.fullmatch(r"(.*?)(\d{1,9})", name)
        if numbered and kind:
            sets.setdefault(numbered[1], {})[int(numbered[2])] = name
            if kind == "i":
                whole.add(numbered[1])
    best: list[str] = []
    for prefix, found in sets.items():
        low, high, n = min(found), max(found), len(found)
        enough = n >= (LEAST_INTEGERS if prefix in whole else 2)
        if enough and low in (0, 1) and high - low == n - 1 and n > len(best):
            best = [found[i] for i in range(low, high + 1)]
    return best


# --- Parquet ----------------------------------------------------------------------------


def parquet_dim(file: Path) -> int | None:
    """Number of features of a Parquet file."""
    import pyarrow.parquet as pq

    schema = pq.read_schema(file)
    names = feature_columns([(f.name, _kind(f.type)) for f in schema])
    if not names or _kind(schema.field(names[0]).type) != "list":
        return len(names) or None
    first = next(pq.ParquetFile(file).iter_batches(1, columns=names), None)
    return None if first is None or not first.column(0)[0].is_valid else len(first.column(0)[0])


def _kind(of: Any) -> str:
    """Kind of a type of pyarrow, as in :func:`feature_columns`."""
    import pyarrow.types as is_

    if is_.is_list(of) or is_.is_large_list(of) or is_.is_fixed_size_list(of):
        return "list" if _kind(of.value_type) in ("f", "i") else ""
    return "f" if is_.is_floating(of) else "i" if is_.is_integer(of) else ""


def read_parquet(file: Path) -> FeatureFile:
    """Features and all other columns of a Parquet file."""
    import pyarrow.parquet as pq

    source = pq.ParquetFile(file)
    names = feature_columns([(f.name, _kind(f.type)) for f in source.schema_arrow])
    dim = parquet_dim(file)
    if dim is None:
        raise InputError(
            f"{file} has no columns f0, f1, ... of features, nor a single column of lists."
        )
    check_size(file, dim=dim)
    features = np.empty((source.metadata.num_rows, dim), dtype=np.float32)
    start = 0
    # Part by part: the table and the array together would take twice the memory.
    for batch in source.iter_batches(max(1, CHUNK // dim), columns=names):
        part = features[start : start + batch.num_rows]
        start += batch.num_rows
        if any(column.null_count for column in batch.columns):
            raise InputError(f"{file} has rows without features; remove them.")
        if len(names) > 1:
            for i, name in enumerate(names):
                part[:, i] = batch.column(name).to_numpy(zero_copy_only=False)
            continue
        values = batch.column(0).flatten()
        if len(values) != part.size or (np.diff(_ends(batch.column(0))) != dim).any():
            raise InputError(f"{file} has lists of features of different lengths.")
        part[:] = values.to_numpy(zero_copy_only=False).reshape(part.shape)
    check_rows(file, len(features), start)
    return FeatureFile(features, parquet_columns(file, names))


def _ends(lists: Any) -> np.ndarray:
    """Ends of the lists of an array of pyarrow; those of a fixed size need no check."""
    return np.asarray(lists.offsets) if hasattr(lists, "offsets") else np.empty(0)


def parquet_columns(file: Path, without: Sequence[str] = ()) -> dict[str, list[str]]:
    """Text of the columns of a Parquet file that have one value in a row."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema, skipped = pq.read_schema(file), set(without)
    names = [
        f.name for f in schema
        if f.name not in skipped and not pa.types.is_nested(f.type)
        and not pa.types.is_binary(f.type) and not f.name.startswith("__index_level_")
    ]  # fmt: skip
    table = pq.read_table(file, columns=names)
    return {
        name: ["" if v is None else v for v in table.column(name).cast(pa.string()).to_pylist()]
        for name in names
    }


def parquet_labels(file: Path) -> dict[str, list[str]]:
    """Text of the columns of a table of labels in a Parquet file."""
    check_size(file)
    return parquet_columns(file)


# --- CSV --------------------------------------------------------------------------------


def csv_dim(file: Path) -> int | None:
    """Number of features of a CSV file, from its first rows."""
    return len(feature_columns(_csv_head(file)[0])) or None


def _csv_head(file: Path) -> tuple[list[tuple[str, str]], dict[str, Any]]:
    """Names and kinds of the columns, from the first rows, and how pandas reads them."""
    import pandas as pd

    with open(file, "rb") as lines:
        head, first = [*lines.read(40 * MOST_COLUMNS).splitlines(), b"", b""][:2]
        separator = max(SEPARATORS, key=head.count)
        columns = head.count(separator) + 1
        if columns > MOST_COLUMNS:
            raise InputError(
                f"{file} has more than {MOST_COLUMNS:,} columns; at most as many are read."
            )
    options: dict[str, Any] = {"low_memory": False, "sep": separator.decode()}
    if separator != b"," and re.search(rb"\d,\d", first) and not re.search(rb"\d\.\d", first):
        options["decimal"] = ","  # as spreadsheets write it in many countries
    rows = pd.read_csv(file, nrows=100, **options)
    # A first column without a name has the names of rows, as R writes them, or all end in a comma.
    if first.endswith(separator) and not isinstance(rows.index, pd.RangeIndex):
        options |= {"index_col": False, "usecols": list(rows.columns)}
        rows = pd.read_csv(file, nrows=100, **options)
    kinds = [(str(n), t.kind if t.kind in "fi" else "") for n, t in rows.dtypes.items()]
    return kinds, options


def read_csv(file: Path) -> FeatureFile:
    """Features and all other columns of a CSV file."""
    import pandas as pd

    kinds, options = _csv_head(file)
    names = feature_columns(kinds)
    if not names:
        raise InputError(
            f"{file} has no columns f0, f1, ... of features: two or more of numbers with "
            f"fractions, or {LEAST_INTEGERS} or more where some have whole numbers only."
        )
    _check_width(file, len(kinds))
    others = [name for name, _ in kinds if name not in set(names)]
    types = dict.fromkeys(names, np.float32) | dict.fromkeys(others, str)
    missing = dict.fromkeys(names, "")
    frame = pd.read_csv(file, dtype=types, keep_default_na=False, na_values=missing, **options)
    return FeatureFile(frame[names].to_numpy(), {name: frame[name].tolist() for name in others})


def _check_width(file: Path, columns: int) -> None:
    """Raise for short rows, with which a small file could become larger than the memory."""
    with open(file, "rb") as lines:
        parts = iter(lambda: lines.read(CHUNK), b"")
        rows = sum(max(part.count(b"\n"), part.count(b"\r")) for part in parts)
    if rows * columns > max(MAX_FIELDS, file.stat().st_size):
        raise InputError(f"Most of the rows of {file} lack most of its {columns:,} columns.")


def text_columns(file: Path) -> dict[str, list[str]]:
    """Text of the columns of a table of labels."""
    table = read_table(file)
    for sentence in table.warnings:
        warnings.warn(sentence, stacklevel=2)
    return table.columns
