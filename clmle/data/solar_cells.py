"""Electroluminescence images of 2,624 solar cells, from the package elpv-dataset."""

from importlib import metadata, resources
from typing import Any

import numpy as np

from clmle.data.base import TEST, TRAIN, UNKNOWN, VALIDATION, Dataset, Progress
from clmle.data.pixel_cache import cached_pixels
from clmle.data.pixels import check_image_size
from clmle.data.registry import DatasetInfo, register_dataset
from clmle.errors import InputError
from clmle.files import cache_dir

PACKAGE = "elpv-dataset"
SEVERITIES = ("sound", "possibly defective", "likely defective", "defective")
TARGETS = ("Defective", "Likely defective", "Monocrystalline", "severity")
FRACTIONS = (0.50, 0.15, 0.35)  # train, validation, test
DRAWS = 2000  # random splits of the blocks, of which the closest to FRACTIONS is taken
# First image of every block. The file lists the images of 44 modules, one module after the other,
# without their names. These borders are certain from run lengths and images. If a border is not
# certain, the modules on both sides are one block, so that no module is divided.
BLOCKS = (
    0, 60, 120, 180, 240, 360, 540, 600, 780, 840, 900, 960, 1020, 1080, 1140, 1254, 1314, 1374,
    1614, 1674, 1964, 2084, 2144, 2216, 2276, 2336, 2396, 2444, 2504, 2564,
)  # fmt: skip


def load_solar_cells(
    image_size: int = 40, *, seed: int = 0, progress: Progress | None = None
) -> Dataset:
    """Load gray images of solar cells with the defect probability that experts assigned.

    Of the images 1,508 have probability 0, 295 have 1/3, 106 have 2/3 and 715 have 1. Training
    classes can be made more imbalanced with ``DataConfig("solar-cells", imbalance="step",
    ratio=20)``, on the command line ``clmle train solar-cells --imbalance step --ratio 20``.

    There is no official split. Images of one module are similar, so the split assigns whole blocks
    of one to five modules: about 50, 15 and 35 % of each class for training, validation and
    testing, the best of 2,000 random draws. A split by image is optimistic: a random forest on the
    pixels has a ROC AUC of 0.81 to 0.84 for ``Defective``, against 0.70 to 0.81 here (four seeds).
    """
    check_image_size(image_size, 8, 300)
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
    """Split (n,) int8 into 0, 1, 2 by whole blocks, with close to ``FRACTIONS`` of every kind.

    ``block`` (n,) are numbers from 0; ``kinds`` (n, k) is 1 if a row is of a kind, else 0.
    """
    counts = np.zeros((int(block.max()) + 1, kinds.shape[1]))
    np.add.at(counts, block, kinds)
    wanted = np.array(FRACTIONS)[:, None]
    rng = np.random.default_rng([seed, len(counts)])
    parts = (TRAIN, VALIDATION, TEST)

    def error(drawn: np.ndarray) -> float:
        """The sum of relative errors, so that the small validation split counts as well."""
        sums = np.stack([counts[drawn == part].sum(axis=0) for part in parts])
        return float(np.square(sums / counts.sum(axis=0) / wanted - 1).sum())

    draws = (rng.choice(parts, size=len(counts), p=FRACTIONS) for _ in range(DRAWS))
    return np.asarray(min(draws, key=error)[block], dtype=np.int8)


def _package() -> tuple[Any, str]:
    """Folder of the data of the package, and its version."""
    try:
        return resources.files("elpv_dataset") / "data", metadata.version(PACKAGE)
    except ModuleNotFoundError as error:
        raise InputError(
            f"The images of solar-cells come with the package {PACKAGE} (90 MB), which is not "
            f"installed; run: pip install {PACKAGE}"
        ) from error


def _labels(folder: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """File, probability and type (mono, poly) of every image, in the order of the file."""
    try:
        rows = [line.split() for line in (folder / "labels.csv").read_text().splitlines()]
        files, probability, kind = map(np.array, zip(*rows, strict=True))
        return files, probability.astype(np.float64), kind
    except (OSError, ValueError) as error:
        raise _damaged(f"{folder / 'labels.csv'}", error) from error


def _images(
    folder: Any, files: np.ndarray, version: str, size: int, progress: Progress | None
) -> np.ndarray:
    """(n, size, size, 1) uint8, cached after the first reading."""
    from PIL import Image

    def read(i: int) -> np.ndarray:
        file = folder / str(files[i])
        try:
            with file.open("rb") as stream, Image.open(stream) as image:
                gray = image.convert("L").resize((size, size), Image.Resampling.BOX)
                return np.asarray(gray)[..., None]
        except (OSError, ValueError, SyntaxError, EOFError) as error:
            raise _damaged(str(file), error) from error

    stamp = f"{version}-{size}"
    target = cache_dir() / "solar-cells" / stamp
    return cached_pixels(target, stamp, len(files), (size, size, 1), read, progress)[0]


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
