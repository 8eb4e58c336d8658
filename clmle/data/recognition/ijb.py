"""IJB-B and IJB-C as InsightFace ships them: templates of images, pairs of templates, landmarks."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from clmle.data.recognition.pairs import Pairs
from clmle.errors import InputError
from clmle.files import as_sentence, expanded

CHUNK = 1 << 24


@dataclass(frozen=True)
class Templates:
    """Which images make a template, and which templates to compare.

    Attributes
    ----------
    images : (n,) names of images
    template : (n,) int64
        Number of every image's template, in [0, T).
    media : (n,) int64
        Photograph or video from which the image is: those of one medium are averaged first.
    landmarks : (n, 5, 2) float32
        Eyes, nose, corners of the mouth; x and y in pixels.
    score : (n,) float32
        The detector's, near 1 where it is sure of a face.
    ids : (T,) int64
        Names of the templates.
    pairs : Pairs
        Numbers of templates, all of fold 0.
    """

    images: tuple[str, ...]
    template: np.ndarray
    media: np.ndarray
    landmarks: np.ndarray
    score: np.ndarray
    ids: np.ndarray
    pairs: Pairs


def read_templates(folder: str | os.PathLike[str]) -> Templates:
    """The lists in ``meta`` of a folder IJBB or IJBC (or in the folder itself).

    ``*_face_tid_mid.txt``: image, template, medium; ``*_name_5pts_score.txt``: image, ten numbers,
    score; ``*_template_pair_label.txt``: template, template, 1 or 0.

    Raises
    ------
    InputError
        A list is missing, odd or cut off, the lists disagree, or a pair names a template that has
        no image; the sentence names list and line.
    """
    home = expanded(folder)
    home = home / "meta" if (home / "meta").is_dir() else home
    faces, points, pairs = (
        _one(home, ending)
        for ending in ("face_tid_mid.txt", "name_5pts_score.txt", "template_pair_label.txt")
    )
    names, numbers = _named(faces, 2)
    named, places = _named(points, 11)
    if names != named:
        odd = next((i for i, (a, b) in enumerate(zip(names, named, strict=False)) if a != b), None)
        line = min(len(names), len(named)) if odd is None else odd
        raise InputError(f"{points} and {faces} disagree from line {line + 1} on; get both again.")
    odd_rows = ((numbers != numbers.round()) | (np.abs(numbers) > 2**53)).any(axis=1)
    if odd_rows.any():
        line = int(np.flatnonzero(odd_rows)[0])
        raise InputError(f"{faces}, line {line + 1} must be an image and two whole numbers.")
    whole = numbers.astype(np.int64)
    ids, template = np.unique(whole[:, 0], return_inverse=True)
    return Templates(
        tuple(names),
        template.astype(np.int64),
        whole[:, 1],
        places[:, :10].reshape(-1, 5, 2).astype(np.float32),
        places[:, 10].astype(np.float32),
        ids,
        _pairs(pairs, ids),
    )


def _one(home: Path, ending: str) -> Path:
    found = sorted(home.glob(f"*_{ending}"))
    if len(found) != 1:
        raise InputError(
            f"{home} must hold one list *_{ending}, as ijbc_{ending}; it holds {len(found)}."
        )
    return found[0]


def _named(path: Path, width: int) -> tuple[list[str], np.ndarray]:
    """Names, and ``width`` numbers each, of the lines "name number number ..."."""
    names, values = [], []
    try:
        with open(path, encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                parts = line.split()
                try:
                    row = [float(p) for p in parts[1:]]
                    if len(row) != width or not np.isfinite(row).all():
                        raise ValueError
                except ValueError:
                    raise InputError(
                        f"{path}, line {number} is {line.strip()[:60]!r}, but must be a name and "
                        f"{width} numbers."
                    ) from None
                names.append(parts[0])
                values.append(row)
    except OSError as error:
        raise as_sentence(error, path) from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} cannot be read as text ({error}); get it again.") from error
    if not names:
        raise InputError(f"{path} is empty; get it again.")
    return names, np.array(values)


def _pairs(path: Path, ids: np.ndarray) -> Pairs:
    """15 million lines of three whole numbers in IJB-C: read in blocks, checked as a whole."""
    blocks = []
    try:
        with open(path, "rb") as file:
            rest = b""
            while block := file.read(CHUNK):
                block, _, rest = (rest + block).rpartition(b"\n")
                blocks.append(np.array(block.split(), dtype=np.int64))
            blocks.append(np.array(rest.split(), dtype=np.int64))
    except OSError as error:
        raise as_sentence(error, path) from error
    except (ValueError, OverflowError):
        raise InputError(f"{path} holds something that is no whole number; get it again.") from None
    values = np.concatenate(blocks) if blocks else np.empty(0, dtype=np.int64)
    if len(values) == 0 or len(values) % 3:
        raise InputError(
            f"{path} must hold lines of three whole numbers (template, template, 1 or 0); it may "
            "be cut off: get it again."
        )
    table = values.reshape(-1, 3)
    odd = np.flatnonzero(~np.isin(table[:, 2], (0, 1)))
    if len(odd):
        raise InputError(f"{path}, line {odd[0] + 1} says {table[odd[0], 2]}, but must say 1 or 0.")
    place = np.searchsorted(ids, table[:, :2]).clip(max=len(ids) - 1)
    missing = np.argwhere(ids[place] != table[:, :2])
    if len(missing):
        row, column = missing[0]
        raise InputError(
            f"{path}, line {row + 1} names template {table[row, column]}, which has no image."
        )
    fold = np.zeros(len(table), dtype=np.int64)
    return Pairs(place[:, 0], place[:, 1], table[:, 2] == 1, fold)
