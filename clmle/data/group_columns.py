"""Columns by which the images of a data set are divided into groups: targets, metadata, tables."""

from pathlib import Path

import numpy as np

from clmle.data.base import UNKNOWN, Dataset
from clmle.data.folder.file_names import FileNames
from clmle.data.folder.table import Table, read_table
from clmle.errors import InputError, quoted, some
from clmle.files import expanded

MISSING = "unknown"  # the group of images without a value
NAMES = ("file", "filename", "file_name", "image", "path", "name")  # of the column of files


def group_names(dataset: Dataset, most: int | None = None) -> list[str]:
    """Names of the columns that divide the images of a data set into groups.

    Parameters
    ----------
    dataset : Dataset
    most : int, optional
        Leave out columns with more groups.

    Returns
    -------
    list of str
        Targets, then metadata with one value per image and, on average, two images or more per
        value: names of files are none.

    Examples
    --------
    >>> from clmle.data import load_digits
    >>> group_names(load_digits())
    ['label']
    """
    found = [
        name for name in dataset.targets if most is None or len(dataset.values_of(name)[1]) <= most
    ]
    for name, values in dataset.metadata.items():
        values = np.asarray(values)
        if name in found or values.shape != (len(dataset),) or values.dtype.kind not in "OUSiub":
            continue
        n_groups = len(set(values.tolist()))
        if 1 < n_groups <= len(values) // 2 and (most is None or n_groups <= most):
            found.append(name)
    return found


def group_column(dataset: Dataset, column: str, n_bins: int | None = None) -> np.ndarray:
    """Group of every image of a data set, by a target, metadata, or a column of a table.

    Parameters
    ----------
    dataset : Dataset
    column : str
        One of :func:`group_names`, another column of the metadata, or ``FILE,COLUMN``: a column of
        a table (.csv) with the files of the images in its column ``file``.
    n_bins : int, optional
        Divide a column of numbers into so many groups of about equal size.

    Returns
    -------
    (n,) array of str
        "unknown" for an image without a value.

    Raises
    ------
    InputError
        If there is no such column, or no row of the table names an image of the data set.

    Examples
    --------
    >>> from clmle.data import load_digits
    >>> group_column(load_digits(), "label")[:3].tolist()
    ['0', '1', '3']
    """
    file, comma, name = column.rpartition(",")
    if comma:
        texts = _of_table(dataset, expanded(file.strip()), name.strip())
    elif column in dataset.targets:
        values, names = dataset.values_of(column)
        texts = np.array([*names, MISSING], dtype=object)[np.where(values < 0, UNKNOWN, values)]
    elif np.shape(dataset.metadata.get(column, ())) == (len(dataset),):
        texts = np.asarray(dataset.metadata[column]).astype(str).astype(object)
    else:
        raise InputError(
            f"{dataset.name} has no column {quoted(column)}; choose one of: "
            f"{some(group_names(dataset))}, or give FILE,COLUMN of a table."
        )
    texts = np.where(np.isin(texts, ("", "nan", "None")), MISSING, texts)
    return np.asarray(_binned(texts, column, n_bins) if n_bins else texts).astype(str)


def table_group_names(file: str | Path) -> list[str]:
    r"""Columns of a table of groups besides that of the files of the images.

    Parameters
    ----------
    file : str or Path
        A table (.csv) as for :func:`group_column`.

    Returns
    -------
    list of str

    Raises
    ------
    InputError
        If the table has no column ``file``, or cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     table = Path(folder, "sites.csv")
    ...     _ = table.write_text("file,site\na.png,north\nb.png,south\n")
    ...     table_group_names(table)
    ['site']
    """
    table = read_table(Path(file))
    files = _column_of_files(table)
    if files is None:
        raise InputError(f"{file} lacks a column file; it has: {some(table.columns)}.")
    return [name for name in table.columns if name != files]


def _column_of_files(table: Table) -> str | None:
    return next((c for word in NAMES for c in table.columns if c.casefold() == word), None)


def _of_table(dataset: Dataset, file: Path, name: str) -> np.ndarray:
    table = read_table(file)
    files = _column_of_files(table)
    if name not in table.columns or files is None:
        what = f"a column {quoted(name)}" if files is not None else "a column file"
        raise InputError(f"{file} lacks {what}; it has: {some(table.columns)}.")
    if "file" not in dataset.metadata:
        raise InputError(
            f"The images of {dataset.name} have no file names, so that {file} cannot be matched."
        )
    own = [str(path) for path in dataset.metadata["file"]]
    matches = FileNames(Path(dataset.name), own).matches(table.columns[files])
    index = {path: i for i, path in enumerate(own)}
    texts = np.full(len(dataset), MISSING, dtype=object)
    found = 0
    for row, value in zip(matches, table.columns[name], strict=True):
        if len(row) == 1:
            texts[index[row[0]]] = value
            found += 1
    if not found:
        raise InputError(
            f"No row of {file} names an image of {dataset.name}; its column {files} must hold "
            f"paths such as {own[0]}."
        )
    return texts


def _binned(texts: np.ndarray, column: str, n_bins: int) -> np.ndarray:
    """Numbers in groups of about equal size, named by their ends."""
    known = texts != MISSING
    try:
        numbers = texts[known].astype(np.float64)
    except ValueError as error:
        raise InputError(f"The column {column} is not of numbers ({error}); leave out bins.") from (
            error
        )
    edges = np.unique(np.quantile(numbers, np.linspace(0, 1, n_bins + 1)[1:-1]))
    index = np.searchsorted(edges, numbers, side="right")
    named = texts.copy()
    parts = np.full(len(numbers), MISSING, dtype=object)
    width = len(str(len(edges) + 1))
    for b in np.unique(index):
        own = numbers[index == b]
        parts[index == b] = f"{b + 1:0{width}}: {own.min():g} to {own.max():g}"
    named[known] = parts
    return named
