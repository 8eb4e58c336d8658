"""CIFAR-10 and CIFAR-100 as published: the Python version, read without executing its pickles."""

import os
import tarfile
from pathlib import Path
from typing import Any

import numpy as np

from clmle.data.assemble import Columns, assemble
from clmle.data.base import TEST, TRAIN, Dataset, Progress
from clmle.data.pixel_arrays import resized
from clmle.data.pixels import MAX_BYTES, check_image_size
from clmle.data.recognition.plain_pickle import Array, RefusedError, read_plain_pickle
from clmle.data.registry import DatasetInfo, register_dataset
from clmle.errors import InputError
from clmle.files import as_sentence, expanded

TEN = ("batches.meta", *(f"data_batch_{i}" for i in range(1, 6)), "test_batch")
HUNDRED = ("meta", "train", "test")
FOLDERS = ("", "cifar-10-batches-py", "cifar-100-python")
ARCHIVES = (".tar.gz", ".tgz", ".tar")
PIXELS = 3 * 32 * 32
LABELS = {"labels": "label", "fine_labels": "label", "coarse_labels": "superclass"}
NAMES = {
    "label_names": "label", "fine_label_names": "label", "coarse_label_names": "superclass",
}  # fmt: skip


def is_cifar(path: str | os.PathLike[str]) -> bool:
    """Whether a path is the folder of CIFAR's batches, the folder above it, or its archive."""
    home = expanded(path)
    if home.is_file():
        return home.name.lower().startswith("cifar") and home.name.lower().endswith(ARCHIVES)
    return _folder(home) is not None


def _folder(home: Path) -> tuple[Path, tuple[str, ...]] | None:
    """The folder with the batches, and their names."""
    for folder in (home / name for name in FOLDERS):
        if (folder / TEN[1]).is_file():
            return folder, TEN
        if all((folder / name).is_file() for name in HUNDRED):
            return folder, HUNDRED
    return None


def load_cifar(
    path: str | os.PathLike[str],
    *,
    image_size: int | tuple[int, int] = 32,
    seed: int = 0,
    progress: Progress | None = None,
) -> Dataset:
    """Load CIFAR-10 or CIFAR-100; rows are in the published order, training images first.

    An eighth of the training images is for validation; see the published long tails for training
    sets that are compared with published ones.
    """
    sides = check_image_size(image_size)
    batches = _batches(expanded(path))
    names = {}
    for key, target in NAMES.items():
        if key in batches["meta"]:
            names[target] = tuple(_texts(batches["meta"].pop(key), f"{key} of {path}"))
            if len(set(names[target])) < len(names[target]):
                raise InputError(f"{key} of {path} names a class twice; get the archive again.")
    parts: dict[str, list[Any]] = {"pixels": [], "file": [], "published": []}
    labels: dict[str, list[int]] = {}
    del batches["meta"]
    for number, (name, batch) in enumerate(batches.items()):
        pixels = _pixels(batch, name)
        parts["pixels"].append(resized(pixels, sides))
        parts["published"] += [TEST if name.startswith("test") else TRAIN] * len(pixels)
        files = batch.get("filenames", [""] * len(pixels))
        parts["file"] += _texts(files, f"filenames of CIFAR's {name}", len(pixels))
        for key, target in LABELS.items():
            if key in batch:
                labels.setdefault(target, []).extend(_classes(batch, key, name, names, len(pixels)))
        if progress is not None:
            progress(number + 1, len(batches))
    published = parts["published"]
    columns = Columns(split=published, files=parts["file"])
    for target, values in labels.items():
        if len(values) != len(published):
            raise InputError(f"Not every batch of {path} has labels; get the archive again.")
        named = names.get(target) or tuple(map(str, range(max(values) + 1)))
        columns.texts[target] = [named[value] for value in values]
        columns.classes[target] = (np.array(values, dtype=np.int64), named)
    if "label" not in labels:
        raise InputError(f"No batch of {path} has labels; get the archive again.")
    return assemble(
        f"cifar{len(columns.classes['label'][1])}",
        np.concatenate(parts["pixels"]),
        columns,
        seed=seed,
        recognized=f"CIFAR, Python version, {len(batches)} batches",
    )


def _batches(path: Path) -> dict[str, dict[str, Any]]:
    """The content of all files by name; the names of the classes as ``meta``."""
    try:
        content = _from_archive(path) if path.is_file() else _from_folder(path)
    except (OSError, EOFError, tarfile.TarError) as error:
        if isinstance(error, OSError) and not isinstance(error, tarfile.TarError):
            raise as_sentence(error, path) from error
        raise InputError(f"{path} cannot be read ({error}); get it again.") from error
    files = TEN if "test_batch" in content else HUNDRED
    missing = [name for name in files if name not in content]
    if missing:
        raise InputError(f"{path} lacks CIFAR's {missing[0]}; unpack the whole archive.")
    batches = {name: _unpickled(content[name], f"{path}, {name}") for name in files[1:]}
    return {"meta": _unpickled(content[files[0]], f"{path}, {files[0]}"), **batches}


def _from_folder(path: Path) -> dict[str, bytes]:
    found = _folder(path)
    if found is None:
        raise InputError(f"{path} has no batches of CIFAR; check the path.")
    folder, files = found
    return {f: (folder / f).read_bytes() for f in files if (folder / f).is_file()}


def _from_archive(path: Path) -> dict[str, bytes]:
    content = {}
    with tarfile.open(path) as archive:
        for member in archive:
            name = member.name.rsplit("/", 1)[-1]
            if member.isfile() and name in (*TEN, *HUNDRED):
                if member.size > 2 * MAX_BYTES:
                    raise InputError(f"{member.name} of {path} is too large for CIFAR.")
                stream = archive.extractfile(member)
                content[name] = stream.read() if stream else b""
    return content


def _unpickled(data: bytes, where: str) -> dict[str, Any]:
    try:
        found = read_plain_pickle(data)
    except RefusedError as error:
        raise InputError(f"{where} is not read: {error}; get CIFAR's archive again.") from error
    if not isinstance(found, dict):
        raise InputError(f"{where} is no dictionary, as in CIFAR; get the archive again.")
    return {_text(key): _plain(value) for key, value in found.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Array):
        return value.value
    if isinstance(value, list):
        return [_text(v) if isinstance(v, bytes) else v for v in value]
    return value


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _texts(values: Any, what: str, n: int | None = None) -> list[str]:
    """A list of ``n`` texts; an InputError for anything else."""
    texts = isinstance(values, list) and all(isinstance(value, str) for value in values)
    if not texts or n not in (None, len(values)):
        raise InputError(f"{what} is no list of names, one for each; get the archive again.")
    return list(values)


def _pixels(batch: dict[str, Any], name: str) -> np.ndarray:
    """Images (n, 32, 32, 3) of a batch, stored as n rows of red, green and blue planes."""
    data = batch.get("data")
    if not isinstance(data, np.ndarray) or data.dtype != np.uint8 or data.shape[1:] != (PIXELS,):
        raise InputError(
            f"data of CIFAR's {name} is not (n, {PIXELS}) uint8; get the archive again."
        )
    return np.ascontiguousarray(data.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))


def _classes(
    batch: dict[str, Any], key: str, name: str, names: dict[str, tuple[str, ...]], n: int
) -> list[int]:
    values = batch[key]
    values = values.tolist() if isinstance(values, np.ndarray) else values
    most = len(names.get(LABELS[key], ())) or 10**6
    good = isinstance(values, list) and all(
        isinstance(v, int) and not isinstance(v, bool) and 0 <= v < most for v in values
    )
    if not good or len(values) != n:
        raise InputError(
            f"{key} of CIFAR's {name} is no list of {n:,} class numbers "
            f"below {most:,}; get the archive again."
        )
    return list(values)


register_dataset(
    DatasetInfo(
        name="CIFAR batches",
        title="CIFAR-10 or CIFAR-100 as published",
        description="The folder or archive of the Python version of CIFAR-10 or CIFAR-100.",
        load=load_cifar,
        recognize=is_cifar,
        image_size=32,
        order=14,
    )
)
