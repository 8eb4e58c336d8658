"""Real images: 2,624 solar cells under electroluminescence, from the package elpv-dataset."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata, resources
from pathlib import Path
from typing import Any

import numpy as np

from clmle.data.base import TEST, TRAIN, UNKNOWN, VALIDATION, Dataset
from clmle.data.registry import DatasetInfo, register_dataset
from clmle.errors import InputError
from clmle.files import as_sentence, atomic_path, cache_dir

PACKAGE = "elpv-dataset"
SEVERITIES = ("sound", "possibly defective", "likely defective", "defective")
TARGETS = ("Defective", "Likely defective", "Monocrystalline", "severity")
SHARES = (0.50, 0.15, 0.35)  # of train, validation, test
DRAWS = 2000  # random splits of the blocks, of which the one nearest to SHARES is taken
# First cell of every block. The file lists the cells of the 44 modules one module after the other,
# without naming them. These are the borders that run lengths and pictures leave no doubt about;
# where one is in doubt the modules on both sides are one block, so no module is ever split.
BLOCKS = (
    0, 60, 120, 180, 240, 360, 540, 600, 780, 840, 900, 960, 1020, 1080, 1140, 1254, 1314, 1374,
    1614, 1674, 1964, 2084, 2144, 2216, 2276, 2336, 2396, 2444, 2504, 2564,
)  # fmt: skip

Progress = Callable[[int, int], None]


def load_solar_cells(
    image_size: int = 40, *, seed: int = 0, progress: Progress | None = None
) -> Dataset:
    """Solar cells, gray, with the defect probability that experts gave and the type of cell.

    The classes are unequal as they are: 1,508 cells of probability 0, 295 of 1/3, 106 of 2/3 and
    715 of 1. The dial makes ``Defective`` as rare as wished:
    ``DataConfig("solar-cells", imbalance="step", ratio=20)``, on the command line
    ``clmle train solar-cells --imbalance step --ratio 20``.

    There is no official split. Cells of one module look alike, so whole modules (blocks of one to
    five of them, see ``BLOCKS``) are drawn into training, validation and test data: about 50, 15
    and 35 % of each class, the best of 2,000 random draws by ``seed``. Splits by cell flatter: a
    random forest on the pixels then has a ROC AUC of 0.81 to 0.84 for ``Defective``, here 0.70
    to 0.81 (four seeds).

    Parameters
    ----------
    image_size : int
        Pixels a side, 8 to 300 (as photographed); shrunk by areas.
    seed : int
        Of the split.
    progress : callable(done, total), optional
        Told as images are read, on first use; then they come from the cache.

    Returns
    -------
    Dataset
        ``attributes`` Defective (probability 1 against 0, those in between unknown), Likely
        defective (2/3 or more) and Monocrystalline; ``labels`` severity, the four probabilities;
        ``metadata`` file, probability, type and block.

    Raises
    ------
    InputError
        The package is not installed or damaged, pixels out of range, a full disk.

    References
    ----------
    Buerhop-Lutz and others: A Benchmark for Visual Identification of Defective Solar Cells in
    Electroluminescence Imagery (EU PVSEC 2018); Deitsch and others: Automatic Classification of
    Defective Photovoltaic Module Cells in Electroluminescence Images (Solar Energy 2019).
    Images CC BY-NC-SA 4.0: docs/credits.md.
    """
    if not 8 <= image_size <= 300:
        raise InputError(f"image_size is {image_size}, but must be from 8 to 300 pixels.")
    folder, version = _package()
    files, probability, kind = _labels(folder)
    severity = np.round(probability * 3).astype(np.int64)
    block = np.searchsorted(BLOCKS, np.arange(len(files)), side="right") - 1
    likely = (severity >= 2).astype(np.int8)
    certain = np.where(np.isin(severity, (0, 3)), likely, UNKNOWN).astype(np.int8)
    mono = (kind == "mono").astype(np.int8)
    attributes = (certain, likely, mono)
    return Dataset(
        "solar-cells",
        _images(folder, files, version, image_size, progress),
        split_by_block(block, np.column_stack([np.eye(4)[severity], mono, 1 - mono]), seed),
        dict(zip(TARGETS, attributes, strict=False)),
        {"severity": severity},
        {"severity": SEVERITIES},
        {"file": files, "probability": probability, "type": kind, "block": block},
    )


def split_by_block(block: np.ndarray, kinds: np.ndarray, seed: int) -> np.ndarray:
    """0, 1, 2 of every row, (n,) int8: whole blocks, shares of every kind near to ``SHARES``.

    ``block`` (n,) numbers from 0; ``kinds`` (n, k), 1 where a row is of a kind, else 0.
    """
    counts = np.zeros((int(block.max()) + 1, kinds.shape[1]))
    np.add.at(counts, block, kinds)
    wanted = np.array(SHARES)[:, None]
    rng = np.random.default_rng([seed, len(counts)])
    best: tuple[float, np.ndarray] | None = None
    for _ in range(DRAWS):
        part = rng.choice((TRAIN, VALIDATION, TEST), size=len(counts), p=SHARES)
        sums = np.stack([counts[part == p].sum(axis=0) for p in (TRAIN, VALIDATION, TEST)])
        # Relative to what is wanted: a small split must not be let down.
        error = float(np.square(sums / counts.sum(axis=0) / wanted - 1).sum())
        if best is None or error < best[0]:
            best = (error, part)
    assert best is not None
    parts: np.ndarray = best[1][block]
    return parts.astype(np.int8)


def _package() -> tuple[Any, str]:
    """The package's folder of data and its version."""
    try:
        return resources.files("elpv_dataset") / "data", metadata.version(PACKAGE)
    except ModuleNotFoundError as error:
        raise InputError(
            f"The images of solar-cells come with the package {PACKAGE} (90 MB), which is not "
            f"installed; run: pip install {PACKAGE}"
        ) from error


def _labels(folder: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """File, probability and type (mono, poly) of every cell, in the order of the file."""
    try:
        rows = [line.split() for line in (folder / "labels.csv").read_text().splitlines()]
        files, probability, kind = map(np.array, zip(*rows, strict=True))
        return files, probability.astype(np.float64), kind
    except (OSError, ValueError) as error:
        raise _damaged(f"{folder / 'labels.csv'}", error) from error


def _images(
    folder: Any, files: np.ndarray, version: str, size: int, progress: Progress | None
) -> np.ndarray:
    """(n, size, size, 1) pixels, a read-only memory map; read from the package the first time."""
    cache = cache_dir() / "solar-cells" / f"{version}-{size}.npy"
    images = _cached(cache, (len(files), size, size, 1))
    if images is None:
        pixels = _read_all(folder, files, size, progress)
        with atomic_path(cache) as temporary, open(temporary, "wb") as file:
            np.save(file, pixels)
        images = _cached(cache, pixels.shape)
    if images is None:
        raise InputError(f"{cache} could not be read again; remove it and try once more.")
    return images


def _cached(cache: Path, shape: tuple[int, ...]) -> np.ndarray | None:
    """The stored pixels, or None where there are none or they are damaged."""
    try:
        images = np.load(cache, mmap_mode="r", allow_pickle=False)
    except PermissionError as error:
        raise as_sentence(error, cache) from error
    except (OSError, ValueError, EOFError):
        return None
    return images if images.shape == shape and images.dtype == np.uint8 else None


def _read_all(folder: Any, files: np.ndarray, size: int, progress: Progress | None) -> np.ndarray:
    pixels = np.empty((len(files), size, size, 1), dtype=np.uint8)
    with ThreadPoolExecutor() as pool:
        read = pool.map(lambda file: _read(folder / str(file), size), files)
        for i, image in enumerate(read):
            pixels[i, :, :, 0] = image
            if progress is not None and (i % 50 == 49 or i + 1 == len(files)):
                progress(i + 1, len(files))
    return pixels


def _read(file: Any, size: int) -> np.ndarray:
    from PIL import Image

    try:
        with file.open("rb") as stream, Image.open(stream) as image:
            return np.asarray(image.convert("L").resize((size, size), Image.Resampling.BOX))
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise _damaged(str(file), error) from error


def _damaged(file: str, error: Exception) -> InputError:
    return InputError(
        f"{file} cannot be read ({str(error) or type(error).__name__}); install it again: "
        f"pip install --force-reinstall --no-deps {PACKAGE}"
    )


register_dataset(
    DatasetInfo(
        name="solar-cells",
        title="Solar cells",
        description=f"2,624 electroluminescence images of solar cells, from the package {PACKAGE}.",
        load=load_solar_cells,
        kind="attributes",
        targets=TARGETS,
        channels=1,
        credits="Photographs: ELPV data set by Buerhop-Lutz, Deitsch and others, CC BY-NC-SA 4.0.",
        order=2,
    )
)
