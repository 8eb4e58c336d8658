"""How much memory the values of a Parquet file take: a hostile file decodes to far more."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from clmle.errors import InputError

ROOM = 256 * 2**20  # bytes that a small file may take; a large one takes up to 8 times its size
NUMBER, TEXT = 8, 64  # bytes of a value; of a text, without its letters
AT_ONCE = 16  # images that are read at a time


@contextmanager
def readable(path: Any) -> Iterator[None]:
    """Turn what readers raise for a damaged file, of many types, into a sentence."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        why = str(error).split("\n")[0][:120].rstrip(".")
        raise InputError(f"{path} cannot be read as Parquet ({why}); get it again.") from error


def check_size(path: Path, images: str = "", dim: int = 1) -> None:
    """Raise an InputError if the columns, but for ``images``, take far more memory than the file.

    It is also raised if the row groups do not have as many rows as the file. A list has ``dim``
    numbers. A value that is stored once and repeated is counted as often as it is repeated. What
    the file states of its columns is not asked: pyarrow ends the process on some damaged
    statements.
    """
    import pyarrow.compute as pc
    from pyarrow.parquet import ParquetFile

    plain = ParquetFile(path)
    meta, schema = plain.metadata, plain.schema
    rows = [meta.row_group(g).num_rows for g in range(meta.num_row_groups)]
    check_rows(path, meta.num_rows, sum(rows) if min(rows, default=0) >= 0 else -1)
    room = max(ROOM, 8 * path.stat().st_size)
    columns = [schema.column(i) for i in range(len(schema))]
    flat = {c.path for c in columns if c.physical_type == "BYTE_ARRAY" and "." not in c.path}
    flat.discard(images)
    widths = (
        TEXT if c.physical_type == "BYTE_ARRAY" else NUMBER * (dim if "." in c.path else 1)
        for c in columns
    )
    total = meta.num_rows * sum(widths)
    unpacked = sum(meta.row_group(g).total_byte_size for g in range(meta.num_row_groups))
    total += max(0, unpacked - room)
    if total <= room and flat:
        once = ParquetFile(path, read_dictionary=sorted(flat))
        for batch in once.iter_batches(65_536, columns=sorted(flat)):
            for array in batch.columns:
                if hasattr(array, "dictionary"):
                    lengths = pc.binary_length(array.dictionary)
                    total += pc.sum(lengths.take(array.indices)).as_py() or 0
            if total > room:
                break
    if total > room:
        raise InputError(_too_large(path, total))


def read_group(file: Any, path: Path, number: int, column: str) -> Any:
    """A column of a row group, read in parts; an InputError if it becomes far too large."""
    import pyarrow as pa

    parts, total, room = [], 0, max(ROOM, 8 * path.stat().st_size) // 2  # two groups are held
    for batch in file.iter_batches(AT_ONCE, row_groups=[number], columns=[column]):
        total += batch.nbytes
        parts.append(batch)
        if total > room:
            parts.clear()  # the error keeps this frame
            raise InputError(_too_large(path, total))
    check_rows(path, file.metadata.row_group(number).num_rows, sum(map(len, parts)))
    return pa.Table.from_batches(parts).column(0)


def check_rows(path: Path, stated: int, found: int) -> None:
    """Raise an InputError if a file, or a row group of it, has other rows than it states."""
    if stated != found:
        raise InputError(
            f"{path} states {stated:,} rows where there are {max(0, found):,}; get it again."
        )


def _too_large(path: Path, total: int) -> str:
    return (
        f"The values of {path} take over {total / 1e6:,.0f} MB, far too much for a file of "
        f"{path.stat().st_size / 1e6:,.1f} MB; write it again without repeated values."
    )
