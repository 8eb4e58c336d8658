"""IJB-B and IJB-C in InsightFace's format: templates of images, pairs of templates, landmarks."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from clmle.data.recognition.pairs import Pairs
from clmle.errors import InputError
from clmle.files import as_sentence, expanded, read_lines


@dataclass(frozen=True)
class Templates:
    """Templates of images, and pairs of templates to compare.

    Attributes
    ----------
    images : tuple of str
        Names of the n images.
    template : (n,) int64
        Template of every image, in [0, T).
    media : (n,) int64
        Photograph or video of every image. The images of one medium are averaged first.
    landmarks : (n, 5, 2) float32
        x and y in pixels of eyes, nose and corners of the mouth.
    score : (n,) float32
        Confidence of the face detector, in [0, 1].
    ids : (T,) int64
        Names of the templates.
    pairs : Pairs
        Indices of templates; all pairs are in fold 0.
    """

    images: tuple[str, ...]
    template: np.ndarray
    media: np.ndarray
    landmarks: np.ndarray
    score: np.ndarray
    ids: np.ndarray
    pairs: Pairs


def read_templates(folder: str | os.PathLike[str]) -> Templates:
    """Read the lists in the folder ``meta`` of IJBB or IJBC (or in the folder itself).

    ``*_face_tid_mid.txt`` has lines of image, template and medium, ``*_name_5pts_score.txt`` of
    image, ten numbers and score, ``*_template_pair_label.txt`` of two templates and 1 or 0.
    """
    home = expanded(folder)
    home = home / "meta" if (home / "meta").is_dir() else home
    faces, points, pairs = (
        _one(home, ending)
        for ending in ("face_tid_mid.txt", "name_5pts_score.txt", "template_pair_label.txt")
    )
    names, numbers = _named(faces, 2)
    named, coordinates = _named(points, 11)
    if names != named:
        odd = next((i for i, (a, b) in enumerate(zip(names, named, strict=False)) if a != b), None)
        line = min(len(names), len(named)) if odd is None else odd
        raise InputError(f"{points} and {faces} disagree from line {line + 1} on; get both again.")
    odd_rows = ((numbers != numbers.round()) | (np.abs(numbers) > 2**53)).any(axis=1)
    if odd_rows.any():
        line = int(np.flatnonzero(odd_rows)[0])
        raise InputError(f"{faces}, line {line + 1} must be an image and two integers.")
    whole = numbers.astype(np.int64)
    ids, template = np.unique(whole[:, 0], return_inverse=True)
    return Templates(
        tuple(names), template.astype(np.int64), whole[:, 1],
        coordinates[:, :10].reshape(-1, 5, 2).astype(np.float32),
        coordinates[:, 10].astype(np.float32), ids, _pairs(pairs, ids),
    )  # fmt: skip


def _one(home: Path, ending: str) -> Path:
    found = sorted(home.glob(f"*_{ending}"))
    if len(found) != 1:
        raise InputError(
            f"{home} must have one list *_{ending}, such as ijbc_{ending}, but has {len(found)}."
        )
    return found[0]


def _named(path: Path, width: int) -> tuple[list[str], np.ndarray]:
    """Names, and ``width`` numbers of each, from lines "name number number ..."."""
    names, values = [], []
    for number, line in enumerate(read_lines(path), start=1):
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
    if not names:
        raise InputError(f"{path} is empty; get it again.")
    return names, np.array(values)


def _pairs(path: Path, ids: np.ndarray) -> Pairs:
    """Pairs from lines of three integers, of which IJB-C has 15 million."""
    import pandas

    try:
        columns = pandas.read_csv(path, sep=r"\s+", header=None, dtype=np.int64)
    except OSError as error:
        raise as_sentence(error, path) from error
    except (ValueError, OverflowError):
        columns = None
    if columns is None or columns.shape[1] != 3:
        raise InputError(
            f"{path} must have lines of three integers (template, template, 1 or 0); it may be "
            "incomplete: get it again."
        )
    table = columns.to_numpy()
    odd = np.flatnonzero(~np.isin(table[:, 2], (0, 1)))
    if len(odd):
        raise InputError(f"{path}, line {odd[0] + 1} has {table[odd[0], 2]}, but must have 1 or 0.")
    index = np.searchsorted(ids, table[:, :2]).clip(max=len(ids) - 1)
    missing = np.argwhere(ids[index] != table[:, :2])
    if len(missing):
        row, column = missing[0]
        raise InputError(
            f"{path}, line {row + 1} names template {table[row, column]}, which has no image."
        )
    fold = np.zeros(len(table), dtype=np.int64)
    return Pairs(index[:, 0], index[:, 1], table[:, 2] == 1, fold)
