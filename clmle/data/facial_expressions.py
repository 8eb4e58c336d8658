"""The collection facial_expressions: photographs with an expression, most of them of LFW."""

import os
import re
from pathlib import Path

import numpy as np

from clmle.data.assemble import Columns, assemble
from clmle.data.base import Dataset, Progress
from clmle.data.pixel_cache import stored_pixels
from clmle.data.pixels import check_image_size, read_pixels
from clmle.data.registry import DatasetInfo, register_dataset
from clmle.errors import InputError, shown
from clmle.files import expanded, is_inside, read_lines

LEGEND, IMAGES = "data/legend.csv", "images"
COLUMNS = ("user.id", "image", "emotion")
IDENTITY = re.compile(r"(?P<name>.*?)_?\d+[a-z]?$")  # Aaron_Guiel_0001, Obama0003
# Four early rows use adjectives for what the others call by a noun.
ONE_NAME = {"angry": "anger", "surprised": "surprise", "disgusted": "disgust", "fearful": "fear"}


def is_facial_expressions(path: str | os.PathLike[str]) -> bool:
    """Whether a folder has ``images/`` and ``data/legend.csv`` with the collection's columns."""
    home = expanded(path)
    if not ((home / IMAGES).is_dir() and (home / LEGEND).is_file()):
        return False
    with open(home / LEGEND, encoding="utf-8-sig", errors="replace") as file:
        return tuple(_cells(file.readline(200))) == COLUMNS


def load_facial_expressions(
    path: str | os.PathLike[str],
    *,
    image_size: int | tuple[int, int] = 40,
    seed: int = 0,
    identities: bool = False,
    progress: Progress | None = None,
) -> Dataset:
    """Load the photographs that the legend names, with expression and identity.

    The identity is that of the file name; images of an identity are in the same split.
    """
    home, sides = expanded(path), check_image_size(image_size)
    table = _legend(home / LEGEND)
    here = sorted(name for name in table if (home / IMAGES / name).is_file())
    if not here:
        raise InputError(f"None of the {len(table):,} images of {home / LEGEND} is in {IMAGES}.")
    files = [home / IMAGES / name for name in here]
    facts = [(f.name, f.stat().st_size, f.stat().st_mtime_ns) for f in files]

    def read(i: int) -> np.ndarray | str:
        pixels = read_pixels(files[i], sides)
        return f"{here[i]} ({pixels})" if isinstance(pixels, str) else pixels

    key = repr((str(home.resolve()), sides))
    images, unread = stored_pixels(
        "facial_expressions", key, (key, facts), len(files), (*sides, 3), read, progress
    )
    columns = Columns(
        {"expression": [table[n] for n in here], "identity": [_identity(n) for n in here]},
        files=here,
    )
    if len(here) < len(table):
        columns.warnings.append(
            f"{len(table) - len(here):,} of the {len(table):,} images that {home / LEGEND} names "
            "are missing."
        )
    return assemble(
        home.resolve().name, images, columns, seed=seed, identities=identities, unread=unread,
        what=f"images of {home}",
        recognized="collection facial_expressions, identities from the names of the files",
    )  # fmt: skip


def _legend(file: Path) -> dict[str, str]:
    """Expression of each image. Some rows are separated by tabs, the others by commas."""
    found: dict[str, str] = {}
    unlike = set()
    for number, line in enumerate(read_lines(file)[1:], start=2):
        cells = _cells(line)
        if not line.strip():
            continue
        if len(cells) != len(COLUMNS) or not is_inside(file.parent, cells[1]):
            raise InputError(f"{file}, line {number} is {shown(line)!r}, but must be {COLUMNS}.")
        _, name, word = cells
        word = ONE_NAME.get(word.lower(), word.lower())
        if found.setdefault(name, word) != word:
            unlike.add(name)
    for name in unlike:  # experts disagree: unknown
        found[name] = ""
    return found


def _cells(line: str) -> list[str]:
    return [cell.strip().strip('"') for cell in line.strip().split("\t" if "\t" in line else ",")]


def _identity(name: str) -> str:
    stem = Path(name).stem
    match = IDENTITY.match(stem)
    return (match["name"].rstrip("_-") if match else stem) or stem


register_dataset(
    DatasetInfo(
        name="facial_expressions",
        title="facial_expressions",
        description="A folder with images/ and data/legend.csv of the collection of that name.",
        load=load_facial_expressions,
        recognize=is_facial_expressions,
        targets=("expression", "identity"),
        order=17,
    )
)
