"""Data sets of other libraries in memory: Hugging Face datasets and torchvision."""

import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from clmle.data.arrow import columns_of, features_of, image_column
from clmle.data.assemble import Columns, assemble
from clmle.data.base import TEST, TRAIN, UNKNOWN, VALIDATION, Dataset
from clmle.data.folder.split_names import split_of
from clmle.data.pixel_arrays import as_pixels, resized
from clmle.data.pixels import SharedRange, Source, check_image_size, read_pixels, to_rgb
from clmle.data.value_range import is_deep
from clmle.errors import InputError, some

CHUNK = 256  # rows that are taken from a Hugging Face data set at a time


def from_huggingface(
    dataset: Any,
    *,
    name: str = "",
    image_size: int | tuple[int, int] = 40,
    seed: int = 0,
    identities: bool = False,
) -> Dataset:
    """Make a data set of a ``datasets.Dataset`` or ``datasets.DatasetDict`` with an image column.

    Parameters
    ----------
    dataset : datasets.Dataset, or mapping of splits to them
        One split without a name, which is then divided, or the named splits. Columns of
        ``ClassLabel`` keep their names and order, boolean columns are attributes.
    name : str
        Name of the data set.
    image_size : int or (int, int)
        Height and width, or both, of the images.
    seed : int
        Seed of a split that is not given.
    identities : bool
        Whether identities are to be learned, so that each has training images; else images of an
        identity are in the same split.

    Returns
    -------
    Dataset

    Raises
    ------
    InputError
        There is no column of images, or splits have unknown names or different columns.

    Examples
    --------
    >>> from clmle.data import from_huggingface
    >>> from_huggingface([1, 2])
    Traceback (most recent call last):
    ...
    clmle.errors.InputError: A list is no data set of the library datasets; ...
    """
    import pyarrow as pa

    sides = check_image_size(image_size)
    parts = dict(dataset) if isinstance(dataset, Mapping) else {"": dataset}
    for part in parts.values():
        if not (hasattr(part, "with_format") and hasattr(part, "column_names")):
            raise InputError(
                f"A {type(part).__name__} is no data set of the library datasets; give what "
                "datasets.load_dataset returns, without streaming."
            )
    arrow = [part.with_format("arrow") for part in parts.values()]
    split = _splits(parts)
    kinds = _features(next(iter(parts.values())))
    column = image_column(arrow[0][:1].schema, kinds, "The data set")
    tables: list[Any] = []
    images: list[np.ndarray] = []
    unread: dict[int, str] = {}
    shared = SharedRange(
        lambda: (one for rows in _chunks(arrow) for one in _sources(rows, column) if one)
    )
    for rows in _chunks(arrow):
        for source in _sources(rows, column):
            pixels = read_pixels(source, sides, shared=shared) if source else "empty"
            if isinstance(pixels, str):
                unread[len(images)] = f"row {len(images):,} ({pixels})"
                pixels = np.zeros((*sides, 3), dtype=np.uint8)
            images.append(pixels)
        tables.append(rows.drop_columns([column]))
    if len({table.schema.remove_metadata() for table in tables}) > 1:
        raise InputError("The splits of the data set have different columns; give alike ones.")
    columns = columns_of(pa.concat_tables(tables), kinds)
    columns.split = split
    return assemble(
        name or "huggingface", np.stack(images), columns, seed=seed, identities=identities,
        unread=unread, what="images of the data set",
        recognized=f"Hugging Face data set, images in column {column}",
    )  # fmt: skip


def _features(part: Any) -> dict[str, Any]:
    """The description of the columns as in stored schemas."""
    return features_of(part.features.arrow_schema)


def _splits(parts: Mapping[str, Any]) -> list[int] | None:
    if set(parts) == {""} or (len(parts) == 1 and split_of(next(iter(parts))) == TRAIN):
        return None
    kinds = {name: split_of(name) for name in parts}
    unknown = [name for name, kind in kinds.items() if kind is None]
    if unknown:
        raise InputError(
            f"The splits {some(unknown)} are not known; give a dict of train, validation and test."
        )
    return [int(kinds[name] or 0) for name, part in parts.items() for _ in range(len(part))]


def _chunks(parts: Sequence[Any]) -> Iterator[Any]:
    """Tables of a few rows of all parts."""
    for part in parts:
        for start in range(0, len(part), CHUNK):
            yield part[start : start + CHUNK]


def _sources(rows: Any, column: str) -> Iterator[Source | None]:
    """Encoded images of a table; None where there is none."""
    for value in rows.column(column).to_pylist():
        path, encoded = None, value
        if isinstance(value, dict):
            path, encoded = value.get("path"), value.get("bytes")
        yield io.BytesIO(encoded) if encoded is not None else Path(path) if path else None


def from_torchvision(
    train: Any,
    validation: Any = None,
    test: Any = None,
    *,
    name: str = "",
    image_size: int | tuple[int, int] = 40,
    seed: int = 0,
) -> Dataset:
    """Make a data set of indexable data sets of (image, target), such as torchvision's.

    Parameters
    ----------
    train : indexable of (image, target)
        With ``len``. Images are Pillow images, arrays (h, w, channels) or tensors (channels, h, w)
        with values from 0 to 255 or 0 to 1. Targets are class numbers, or rows of 0 and 1 of
        several attributes. Names are read from ``classes``, or ``attr_names`` of attributes.
    validation, test : indexable of (image, target), optional
        Without them, parts of ``train`` are taken.
    name, image_size, seed
        As in :func:`from_huggingface`.

    Returns
    -------
    Dataset

    Raises
    ------
    InputError
        Items are not such pairs, targets are no class numbers, or images are normalized.

    Examples
    --------
    >>> from clmle.data import from_torchvision
    >>> pixels = np.random.default_rng(0).integers(0, 256, (40, 16, 16, 3), dtype=np.uint8)
    >>> dataset = from_torchvision([(image, i % 2) for i, image in enumerate(pixels)])
    >>> dataset.task().class_counts("test").tolist()
    [4, 4]
    """
    sides = check_image_size(image_size)
    parts = {TRAIN: train, VALIDATION: validation, TEST: test}
    given = {kind: part for kind, part in parts.items() if part is not None}
    images, targets, split = [], [], []
    for kind, part in given.items():
        for i in range(len(part)):
            item = part[i]
            if not isinstance(item, tuple | list) or len(item) < 2:
                raise InputError(f"Item {i:,} is no pair of image and target, but {type(item)}.")
            images.append(_pixels(item[0]))
            targets.append(np.asarray(item[1]))
            split.append(kind)
    if not images:
        raise InputError("The data set is empty; give one with images.")
    source = train
    while not hasattr(source, "classes") and hasattr(source, "dataset"):
        source = source.dataset  # of torch.utils.data.Subset, as random_split returns it
    columns = _targets(targets, source)
    columns.split = split if len(given) > 1 else None
    # One rule for the gray values of all images, which may have different sizes.
    arrays, sentences = as_pixels([image[None] for image in images], "the data set")
    columns.warnings += sentences
    fitted = [resized(array, sides) for array in arrays]
    if len({array.shape[-1] for array in fitted}) > 1:
        fitted = [np.broadcast_to(array, (1, *sides, 3)) for array in fitted]
    return assemble(
        name or type(source).__name__, np.concatenate(fitted), columns, seed=seed,
        recognized=f"pairs of image and target of {type(source).__name__}",
    )  # fmt: skip


def _pixels(image: Any) -> np.ndarray:
    """An image as an array (h, w, channels)."""
    if hasattr(image, "getexif"):  # of Pillow
        plain = image if image.mode in ("L", "RGB") or is_deep(image) else to_rgb(image)
        array = np.asarray(plain)
        return array[..., None] if array.ndim == 2 else array
    array = np.asarray(image)
    if array.ndim == 2:
        return array[..., None]
    if array.ndim != 3:
        raise InputError(f"An image has the shape {array.shape}, but must have height and width.")
    first = hasattr(image, "permute") or array.shape[-1] not in (1, 3, 4)  # a tensor
    return np.moveaxis(array, 0, -1) if first else array


def _targets(targets: Sequence[np.ndarray], source: Any) -> Columns:
    shapes = {target.shape for target in targets}
    kinds = {target.dtype.kind for target in targets}
    if len(shapes) > 1 or not kinds <= set("iub") or len(next(iter(shapes))) > 1:
        raise InputError(
            "Targets must be class numbers, or as many 0 and 1 for each image, but have the shapes "
            f"{some(shapes, 3)}; choose a target_type such as attr or category."
        )
    values = np.stack(targets).astype(np.int64)
    columns = Columns()
    if values.ndim == 2:
        if not np.isin(values, (0, 1, UNKNOWN)).all():
            raise InputError("Targets of several attributes must be 0 and 1.")
        names = [n for n in getattr(source, "attr_names", ()) if n]
        for a in range(values.shape[1]):
            title = names[a] if len(names) == values.shape[1] else f"attribute {a}"
            columns.attributes[title] = values[:, a].astype(np.int8)
        return columns
    named = getattr(source, "classes", None)
    names = list(map(str, named or range(int(values.max()) + 1)))
    if values.max() >= len(names) or values.min() < UNKNOWN:
        raise InputError(
            f"Targets are {values.min()} to {values.max()}, but there are {len(names)} classes."
        )
    columns.texts["label"] = ["" if c < 0 else names[c] for c in values.tolist()]
    columns.classes["label"] = (values, tuple(names))
    return columns
