"""Rows of a table of labels, each joined to the image that it names."""

import os
from dataclasses import replace
from itertools import compress
from pathlib import Path

from clmle.data.base import LEFT_OUT, SPLITS
from clmle.data.folder.columns import FILES, SPLIT, plain, roles_of
from clmle.data.folder.file_names import NUMBER, FileNames
from clmle.data.folder.rows import Rows
from clmle.data.folder.scan import Scan, printable
from clmle.data.folder.split_names import split_of
from clmle.data.folder.table import Table, read_table
from clmle.data.folder.targets import one_spelling
from clmle.data.missing import is_missing
from clmle.errors import InputError, shown, some
from clmle.files import expanded

TABLES = {".csv", ".tsv", ".txt", ".tab", ".data"}
NOT_NAMED = "not named in the table"


def rows_of_table(folder: Path, found: Scan, labels: str | os.PathLike[str]) -> Rows:
    """One row for each image that a table of labels names."""
    file = expanded(labels)
    if not os.path.exists(file) and os.path.exists(folder / file):
        file = folder / file
    return _joined(folder, found, file, read_table(file))


def tables_of(folder: Path, found: Scan) -> dict[str, Table]:
    """Tables in a folder that name its images and something else."""
    names = [n for files in found.skipped.values() for n in files]
    near = [n for n in names if Path(n).suffix.lower() in TABLES and n.count("/") < 3]
    near = sorted(near, key=lambda name: (name.count("/"), name))[:20]
    index = FileNames(folder, found.images) if near else None
    tables = {}
    for name in near:
        try:
            table = read_table(folder / name)
        except InputError:
            continue
        if len(table.columns) > 1 and index and _file_column(table, index) is not None:
            tables[name] = table
    return tables


def rows_of_only(tables: dict[str, Table], folder: Path, found: Scan) -> Rows | None:
    """Rows of the only table of a folder, or of one for each split; None if it has none."""
    if not tables:
        return None
    splits = {name: _split_of_table(name) for name in tables}
    heads = {tuple(table.columns) for table in tables.values()}
    if len(tables) > 1 and (len(heads) > 1 or {None, LEFT_OUT} & set(splits.values())):
        raise InputError(
            f"{folder} has several tables that name its images: {some(tables, 5)}; choose one with "
            "--labels (labels=)."
        )
    files = set(found.images)
    rows = []
    for name, table in tables.items():
        below = name.rpartition("/")[0]
        whole = [
            [f"{below}/{v}" if f"{below}/{v}" in files else v for v in values]
            for values in table.columns.values()
        ]
        rows.append(dict(zip(table.columns, whole, strict=True)))
    columns = {c: [v for one in rows for v in one[c]] for c in rows[0]}
    if len(tables) > 1 and not any(plain(c) in SPLIT for c in columns):
        kinds = [(SPLITS[splits[n] or 0], t.n_rows) for n, t in tables.items()]
        columns["split"] = [kind for kind, n in kinds for _ in range(n)]
    warnings = [text for table in tables.values() for text in table.warnings]
    joined = Table(columns, sum(t.n_rows for t in tables.values()), warnings)
    left = {
        r: kept for r, f in found.skipped.items() if (kept := [n for n in f if n not in tables])
    }
    return _joined(folder, replace(found, skipped=left), folder / " and ".join(tables), joined)


def _split_of_table(name: str) -> int | None:
    """The split that the name of a table, or of its folder, states."""
    own = split_of(Path(name).stem)
    return split_of(Path(name).parent.name) if own is None else own


def _joined(folder: Path, found: Scan, file: Path, table: Table) -> Rows:
    columns, warnings = dict(table.columns), list(table.warnings)
    if not table.n_rows:
        raise InputError(f"{file} has no row of labels.")
    index = FileNames(folder, found.images)
    chosen = _file_column(table, index)
    if chosen is None or (plain(chosen) not in FILES and any(index.matches([chosen]))):
        raise _no_files(folder, file, table, index)
    if len(columns) < 2:
        raise InputError(f"{file} has no column of labels next to {chosen!r}.")
    names = columns.pop(chosen)
    matches = index.matches(names)
    for name, fits in zip(names, matches, strict=True):
        if len(fits) > 1:
            raise InputError(
                f"{file} has the name {shown(name)!r}, which fits {some(fits, 3)} of {folder}; "
                "write the whole path with its ending."
            )
    here = [bool(fits) for fits in matches]
    if not all(here):
        warnings.append(
            f"{here.count(False):,} of the {len(names):,} files that {file} names are not in "
            f"{folder}, the first is {shown(names[here.index(False)])!r}; they are left out."
        )
    files = [fits[0] for fits in matches if fits]
    columns = {name: list(compress(values, here)) for name, values in columns.items()}
    roles = roles_of(columns)
    split = roles.split if roles.split is not None else _split_of_paths(files)
    rows = Rows(
        files,
        {name: columns[name] for name in roles.targets},
        split,
        {name: _known(columns[name]) for name in roles.groups},
        roles.default,
        _stated(file, chosen, roles.split_columns[:1], roles.groups, roles.split is None and split),
        [*warnings, *roles.warnings],
        _not_named(found, set(files), folder, file),
    )
    return _one_per_image(rows, file)


def _known(groups: list[str]) -> list[str]:
    spelled = one_spelling([group for group in set(groups) if not is_missing(group)])
    return [spelled.get(group, "") for group in groups]


def _file_column(table: Table, index: FileNames) -> str | None:
    """The column whose values are files; of several, one with a usual name, or most files.

    Plain numbers may be files without their ending, but also classes: other columns come first.
    """
    usual = {name for name in table.columns if plain(name) in FILES}
    scores: dict[str, tuple[bool, bool, int]] = {}
    for name, values in table.columns.items():
        matches = index.matches(values)
        n_files = len({fits[0] for fits in matches if fits})
        words = any(f and not NUMBER.fullmatch(v) for f, v in zip(matches, values, strict=True))
        clear = not usual and n_files == len(values) == sum(map(len, matches))
        if n_files and (words or name in usual or clear):
            scores[name] = (name in usual, words, n_files)
    most = max((score[2] for score in scores.values() if score[1]), default=0)
    fitting = {name: score for name, score in scores.items() if 2 * score[2] >= most}
    return max(fitting, key=lambda name: fitting[name]) if fitting else None


def _no_files(folder: Path, file: Path, table: Table, index: FileNames) -> InputError:
    named = next((c for c in table.columns if plain(c) in FILES), None)
    if any(index.matches(list(table.columns))):
        return InputError(
            f"{file} has no row of column names: the first row names an image; add one, such as "
            "file,label."
        )
    if named is None:
        first = next(iter(table.columns))
        return InputError(
            f"{file} has no column of file names: no value of its columns {some(table.columns, 8)} "
            f"is an image of {folder}; {first} begins with {shown(table.columns[first][0])!r}."
        )
    return InputError(
        f"None of the {table.n_rows:,} files that {file} names is in {folder}; "
        f"the first is {shown(table.columns[named][0])!r}."
    )


def _split_of_paths(files: list[str]) -> list[int] | None:
    """The split of each file by its outermost folder, if all are train, test and the like."""
    kinds = [split_of(file.partition("/")[0]) if "/" in file else None for file in files]
    split = [LEFT_OUT if kind is None else kind for kind in kinds]
    return None if None in kinds or len(set(split)) < 2 else split


def _stated(file: Path, names: str, split: list[str], groups: list[str], of_paths: object) -> str:
    parts = [f"table {file.name} with the files in column {names}"]
    parts += [f"the split in column {split[0]}"] if split else []
    parts += ["the split by folders"] if of_paths else []
    parts += [f"groups in column {some(groups, 5)}"] if groups else []
    return ", ".join(parts)


def _not_named(found: Scan, named: set[str], folder: Path, file: Path) -> dict[str, list[str]]:
    """Skipped files without the table itself, and images that no row names."""
    own = os.path.relpath(os.path.realpath(file), os.path.realpath(folder)).replace(os.sep, "/")
    skipped = {r: left for r, f in found.skipped.items() if (left := [n for n in f if n != own])}
    missing = [image for image in found.images if image not in named]
    return {**skipped, NOT_NAMED: missing} if missing else skipped


def _one_per_image(rows: Rows, file: Path) -> Rows:
    """Rows of the same image joined; an error if they disagree."""
    first: dict[str, int] = {}
    again = [(i, j) for i, f in enumerate(rows.files) if (j := first.setdefault(f, i)) != i]
    if not again:
        return rows
    columns = {**rows.targets, **rows.groups}
    for later, i in again:
        for name, values in columns.items():
            one, other = values[i], values[later]
            if is_missing(one):
                values[i] = other
            elif not is_missing(other) and one != other:
                raise InputError(
                    f"{file} has the image {shown(printable(rows.files[i]))!r} in several rows "
                    f"with different values of {name} ({shown(one)!r} and {shown(other)!r}); leave "
                    "one row for each image, with a column for each target."
                )
        if rows.split is not None and rows.split[i] != rows.split[later]:
            raise InputError(
                f"{file} has the image {shown(printable(rows.files[i]))!r} in several rows with "
                "different splits; leave one row for each image."
            )
    joined = rows.take(sorted(first.values()))
    joined.warnings.append(
        f"{len(again):,} rows of {file} repeat an image and are joined with its first row."
    )
    return joined
