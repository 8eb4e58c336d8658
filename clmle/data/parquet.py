"""Parquet files with a column of images, as the Hugging Face Hub stores data sets."""

import glob
import io
import os
import re
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from clmle.data.arrow import columns_of, features_of, holds_images, image_column, image_columns
from clmle.data.assemble import assemble
from clmle.data.base import LEFT_OUT, Dataset, Progress
from clmle.data.folder.split_names import WORDS, split_of
from clmle.data.parquet_size import check_size, read_group, readable
from clmle.data.pixel_cache import stored_pixels
from clmle.data.pixels import SharedRange, check_image_size, read_pixels
from clmle.data.registry import DatasetInfo, register_dataset
from clmle.errors import InputError, some
from clmle.files import expanded

SHARD = re.compile(r"[-_.]?\d+[-_]of[-_]\d+$")
DEPTH = 4  # levels of sub-folders with parts of a data set


def is_parquet(path: str | os.PathLike[str]) -> bool:
    """Whether there are Parquet files at a path, the first of which has a column of images.

    A file that cannot be read is one of images: its loader says what is wrong.
    """
    files = parquet_files(path)
    if not files:
        return False
    try:
        file = _open(files[0])
        found = image_columns(file.schema_arrow, features_of(file.schema_arrow))
        if not found or not file.num_row_groups:
            return bool(found)
        with readable(files[0]):
            first = next(file.iter_batches(20, columns=found[:1]), None)
            return first is not None and holds_images(first.column(0))
    except InputError:
        return True


def parquet_files(path: str | os.PathLike[str]) -> list[Path]:
    """The Parquet files of a file, a folder (hidden ones aside), or a pattern."""
    home = expanded(path)
    if home.is_file():
        return [home] if home.suffix.lower() == ".parquet" else []
    if "*" in str(path):
        found = glob.glob(str(home), recursive=True)
        return sorted(Path(f) for f in found if f.lower().endswith(".parquet"))
    if not home.is_dir():
        return []
    files = []
    for folder, inside, names in os.walk(home):
        depth = len(Path(folder).relative_to(home).parts)
        inside[:] = sorted(d for d in inside if not d.startswith(".") and depth < DEPTH)
        files += [Path(folder, n) for n in names if n.lower().endswith(".parquet") and n[0] != "."]
    return sorted(files)


def load_parquet(
    path: str | os.PathLike[str],
    *,
    image_size: int | tuple[int, int] = 40,
    seed: int = 0,
    identities: bool = False,
    progress: Progress | None = None,
) -> Dataset:
    """Load images and labels from Parquet files; decoded pixels are cached.

    Several files are the splits that their names or folders say, or parts of one.
    """
    sides = check_image_size(image_size)
    files = parquet_files(path)
    if not files:
        raise InputError(f"There is no Parquet file at {path}; check the path.")
    parts = [_open(file) for file in files]
    import pyarrow as pa

    _check_alike(files, parts, path)
    schema = parts[0].schema_arrow
    features = features_of(schema)
    column = image_column(schema, features, str(files[0]))
    more = [name for name in image_columns(schema, features) if name != column]
    others = [name for name in schema.names if name not in (column, *more)]
    with readable(path):
        for file in files:
            check_size(file, column)
        table = pa.concat_tables([part.read(columns=others) for part in parts])
        columns = columns_of(table, features)
    counts = [part.metadata.num_rows for part in parts]
    images = _Images(files, parts, column)
    n = sum(counts)
    if n == 0:
        raise InputError(f"{path} has no row; get it again.")
    key = repr([os.path.abspath(expanded(path)), *sides])
    facts = [(str(f), f.stat().st_size, f.stat().st_mtime_ns) for f in files]
    pixels, unread = stored_pixels(
        "parquet", key, (key, column, facts), n, (*sides, 3), lambda i: images.read(i, sides),
        progress,
    )  # fmt: skip
    columns.split = _splits(files, counts, path)
    columns.warnings += _siblings(files)
    if more:
        columns.warnings.append(f"Other columns of images or bytes are not read: {some(more)}.")
    name = files[0].stem if len(files) == 1 else _common_name(files, expanded(path))
    recognized = f"{len(files):,} Parquet file{'s' * (len(files) > 1)}, images in column {column}"
    return assemble(
        name, pixels, columns, seed=seed, identities=identities, unread=unread,
        what=f"images of {path}",
        recognized=recognized + (", splits by file" if columns.split is not None else ""),
    )  # fmt: skip


def _open(file: Path) -> Any:
    try:
        from pyarrow.parquet import ParquetFile
    except ImportError as error:
        raise InputError(
            f"{file} needs the package pyarrow to be read; install it: pip install pyarrow"
        ) from error
    with readable(file):
        return ParquetFile(file)


def _check_alike(files: list[Path], parts: list[Any], path: Any) -> None:
    """Raise an InputError if the files are not parts of one data set."""
    schemas: dict[tuple[str, ...], list[str]] = {}
    for file, part in zip(files, parts, strict=True):
        schemas.setdefault(tuple(sorted(map(str, part.schema_arrow))), []).append(file.name)
    if len(schemas) > 1:
        groups = "; ".join(some(names, 3) for names in schemas.values())
        raise InputError(
            f"{path} holds Parquet files with different columns ({groups}); give one of them, a "
            "pattern such as train-*.parquet, or a folder with the files of one data set."
        )


class _Images:
    """Encoded images of all files, by row; the last row groups are kept."""

    def __init__(self, files: list[Path], parts: list[Any], column: str) -> None:
        self.files, self.parts, self.column = files, parts, column
        sizes = [
            (p, g, part.metadata.row_group(g).num_rows)
            for p, part in enumerate(parts)
            for g in range(part.num_row_groups)
            if part.metadata.row_group(g).num_rows
        ]
        self.groups = [(p, g) for p, g, _ in sizes]
        self.ends = np.cumsum([n for _, _, n in sizes])
        self.lock = Lock()
        self.kept: dict[int, Any] = {}
        self.shared = SharedRange(self._sources)

    def read(self, i: int, sides: tuple[int, int]) -> np.ndarray | str:
        """Pixels of row ``i``, or why there are none."""
        number = int(np.searchsorted(self.ends, i, side="right"))
        with self.lock:
            if number not in self.kept:
                while len(self.kept) > 1:
                    self.kept.pop(next(iter(self.kept)))
                p, g = self.groups[number]
                try:
                    with readable(self.files[p]):
                        self.kept[number] = read_group(self.parts[p], self.files[p], g, self.column)
                except InputError as error:  # other threads do not read it again
                    self.kept[number] = str(error)
            group = self.kept[number]
        if isinstance(group, str):
            raise InputError(group)
        value = group[i - int(self.ends[number]) + len(group)].as_py()
        data, name = value, ""
        if isinstance(value, dict):
            data, name = value.get("bytes"), value.get("path") or ""
        if data is None:
            what = f"only the name {name}" if name else "empty"
            return f"row {i:,} ({what})"
        pixels = read_pixels(io.BytesIO(data), sides, shared=self.shared)
        return f"row {i:,} ({pixels})" if isinstance(pixels, str) else pixels

    def _sources(self) -> Iterator[io.BytesIO]:
        """All encoded images."""
        for p, g in self.groups:
            for value in read_group(self.parts[p], self.files[p], g, self.column):
                data = value.as_py()
                data = data.get("bytes") if isinstance(data, dict) else data
                if data is not None:
                    yield io.BytesIO(data)


def _splits(files: list[Path], counts: list[int], path: Any) -> list[int] | None:
    """The split of each row by the names of several files; None if they name none."""
    if len(files) == 1:
        return None
    kinds = [_split_of_file(file, expanded(path)) for file in files]
    if set(kinds) == {None}:
        return None
    unknown = [f.name for f, kind in zip(files, kinds, strict=True) if kind is None]
    if unknown:
        named = next(f.name for f, kind in zip(files, kinds, strict=True) if kind is not None)
        raise InputError(
            f"{named} of {path} is named by a split, but {some(unknown, 3)} is not; name each file "
            "train, validation or test, or give a pattern such as train-*.parquet."
        )
    return [
        LEFT_OUT if kind is None else kind
        for kind, n in zip(kinds, counts, strict=True)
        for _ in range(n)
    ]


def _split_of_file(file: Path, home: Path) -> int | None:
    """The split that the name of a file, or of a folder above it, says."""
    folders = file.relative_to(home).parts[:-1] if file.is_relative_to(home) else ()
    for name in (SHARD.sub("", file.stem), *reversed(folders)):
        found = {WORDS[w] for w in _words(name) if w in WORDS}
        whole = split_of(name)
        if whole is not None or len(found) == 1:
            return found.pop() if whole is None else whole
    return None


def _words(name: str) -> list[str]:
    return re.findall(r"[^\W\d_]+", name.lower())


def _bare(file: Path) -> str:
    """The name of a file without split and number of the part."""
    return " ".join(
        w for w in re.findall(r"[^\W_]+", SHARD.sub("", file.stem)) if w.lower() not in WORDS
    )


def _siblings(files: list[Path]) -> list[str]:
    """A sentence if a single file is read that looks like one part of several."""
    file = files[0]
    words = {w for w in _words(SHARD.sub("", file.stem)) if w in WORDS}
    if len(files) > 1 or not (words or SHARD.search(file.stem)):
        return []
    others = [
        f for f in sorted(file.parent.glob("*.parquet")) if f != file and _bare(f) == _bare(file)
    ]
    if not others:
        return []
    return [
        f"Only {file.name} is read, which looks like a part of a data set together with "
        f"{some([f.name for f in others], 3)}; to read all, give a pattern such as "
        f"{_pattern([file, *others])}."
    ]


def _pattern(files: list[Path]) -> str:
    return _common([f.name for f in files]) + "*.parquet"


def _common(names: list[str]) -> str:
    return "".join(c[0] for c in takewhile(lambda c: len(set(c)) == 1, zip(*names, strict=False)))


def _common_name(files: list[Path], home: Path) -> str:
    """The name of a folder, or the common part of the names of files."""
    if home.is_dir():
        return home.resolve().name
    return _bare(files[0]).replace(" ", "-") or files[0].parent.name


register_dataset(
    DatasetInfo(
        name="Parquet with images",
        title="Parquet files with images",
        description="A .parquet file, or a folder or pattern of them, as from Hugging Face.",
        load=load_parquet,
        recognize=is_parquet,
        order=15,
    )
)
