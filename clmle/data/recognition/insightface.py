"""Training sets in InsightFace's format: ``train.rec``, ``train.idx`` and ``property``."""

import io
import os
import warnings
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

from clmle.data.base import Dataset, Progress
from clmle.data.pixel_cache import warn_unreadable
from clmle.data.pixels import first_shape, read_pixels
from clmle.data.recognition.faces import identity_dataset, read_faces, sides_of
from clmle.data.recognition.recordio import (
    DamagedRecordError,
    RecordFile,
    first_labels,
    open_records,
    read_record,
    unpack,
)
from clmle.data.registry import DatasetInfo, register_dataset
from clmle.errors import InputError
from clmle.files import expanded

RECORDS, INDEX, PROPERTY = "train.rec", "train.idx", "property"


def is_recordio(folder: str | os.PathLike[str]) -> bool:
    """Check whether a folder has ``train.rec``."""
    return (expanded(folder) / RECORDS).is_file()


def load_recordio(
    folder: str | os.PathLike[str],
    *,
    image_size: int | tuple[int, int] = 112,
    seed: int = 0,
    progress: Progress | None = None,
) -> Dataset:
    """Load identities from a folder with ``train.rec``; decoded pixels are cached."""
    home = expanded(folder)
    path, index = home / RECORDS, home / INDEX
    if not path.is_file():
        raise InputError(f"{home} has no {RECORDS}; check the path.")
    stated = read_property(home / PROPERTY) if (home / PROPERTY).is_file() else None
    found, labels, announced = catalog(open_records(path, index if index.is_file() else None))
    warn_unreadable(found.problems, len(found.keys) + len(found.problems), f"records of {path}")
    shape = stated[1:] if stated else _first_shape(found)
    sides = sides_of(image_size, shape)
    facts = [(f.st_size, f.st_mtime_ns) for f in (os.stat(p) for p in (path, index) if p.exists())]

    def read(i: int) -> np.ndarray | str:
        key, start = found.keys[i], int(found.starts[i])
        try:
            pixels = read_pixels(io.BytesIO(unpack(read_record(found.buffer, start))[1]), sides)
        except DamagedRecordError as error:
            return f"record {key}: {error}"
        return f"record {key} is damaged ({pixels})" if isinstance(pixels, str) else pixels

    pixels, problems = read_faces(
        path, f"images of {path}", facts, len(found.keys), sides, read, progress
    )
    dataset = identity_dataset(
        home.resolve().name, pixels, problems, labels, {"record": found.keys}, seed
    )
    n_identities = len(dataset.class_names["identity"])
    wanted = stated[0] if stated else announced
    if wanted not in (None, n_identities):
        warnings.warn(
            f"{path} should have {wanted:,} identities, but images of {n_identities:,} were found.",
            stacklevel=2,
        )
    return dataset


def catalog(records: RecordFile) -> tuple[RecordFile, np.ndarray, int | None]:
    """The records with images, their labels (n,) int64, and the announced number of identities.

    Record 0 may be a header without an image and with two labels: the first key after the images,
    and the first key after the records of the identities, which have ranges of keys and no image.
    """
    images: list[tuple[int, int, int]] = []
    problems = list(records.problems)
    end, announced = None, None
    for key, start in zip(records.keys.tolist(), records.starts.tolist(), strict=True):
        if end is not None and key >= end:
            continue
        try:
            vector, size = first_labels(records.buffer, start)
        except DamagedRecordError as error:
            problems.append(f"record {key}: {error}")
            continue
        if size == 0:
            if key == 0 and len(vector) >= 2 and np.isfinite(vector).all():
                end, after = int(vector[0]), int(vector[1])
                announced = after - end if after > end else None
            elif end is not None or len(vector) < 2:
                problems.append(f"record {key} has no image")
            continue
        label = float(vector[0])
        if not (0 <= label < 2**31 and label.is_integer()):
            problems.append(f"record {key} has the label {label:g}, not a whole number from 0")
            continue
        images.append((key, start, int(label)))
    if not images:
        raise InputError(
            f"{records.path} has no record of an image"
            + (f": {problems[0]}." if problems else "; get it again.")
        )
    keys, starts, labels = np.array(images, dtype=np.int64).T
    found = replace(records, keys=keys, starts=starts, problems=tuple(problems))
    return found, labels, announced


def read_property(path: Path) -> tuple[int, int, int]:
    """Number of identities, height and width of the images from "85742,112,112"."""
    try:
        parts = path.read_text(encoding="ascii").strip().split(",")
        identities, height, width = (int(p) for p in parts if len(p) < 12)
        if min(identities, height, width) < 1:
            raise ValueError
    except (OSError, UnicodeDecodeError, ValueError):
        raise InputError(
            f"{path} must have three integers with commas between: identities, height, width."
        ) from None
    return identities, height, width


def _first_shape(found: RecordFile) -> tuple[int, int]:
    images = []
    for start in found.starts[:100].tolist():
        with suppress(DamagedRecordError):
            images.append(io.BytesIO(unpack(read_record(found.buffer, start))[1]))
    return first_shape(images, (112, 112))


register_dataset(
    DatasetInfo(
        name="RecordIO",
        title="RecordIO (InsightFace)",
        description="A folder with train.rec, the training sets of InsightFace.",
        load=load_recordio,
        kind="identities",
        recognize=is_recordio,
        targets=("identity",),
        order=12,
    )
)
