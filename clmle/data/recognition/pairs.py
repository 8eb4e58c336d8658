"""Pairs of images for face verification, and LFW's list of pairs."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from clmle.data.base import Progress
from clmle.data.recognition.identities import read_folders
from clmle.errors import InputError
from clmle.files import expanded, read_lines


@dataclass(frozen=True)
class Pairs:
    """Pairs of images to compare.

    Attributes
    ----------
    first, second : (p,) int64
        Indices of the images (or templates, or videos) of every pair.
    same : (p,) bool
        Whether both have the same identity.
    fold : (p,) int64
        Fold of every pair, from 0. The threshold for a fold is chosen on the other folds.
    """

    first: np.ndarray
    second: np.ndarray
    same: np.ndarray
    fold: np.ndarray

    def __len__(self) -> int:
        return len(self.same)


@dataclass(frozen=True)
class OpenSetData:
    """Images of unseen identities for verification and identification.

    Attributes
    ----------
    name : str
    images : (n, height, width, channels) uint8
    pairs : Pairs
        Indices into ``images``, or of videos if there are any.
    identities : (n,) int64, optional
        Identity of every image.
    probes, distractors : arrays of int64, optional
        Indices of images of identities with several images, and of identities with one.
    video : (n,) int64, optional
        Video of every frame; -1 for a frame that cannot be read.
    video_names : tuple of str
        Names of the videos, such as "Name/0".
    metadata : dict of str to (n,) array
        Anything else that is known of an image (file, style, ...).
    """

    name: str
    images: np.ndarray
    pairs: Pairs
    identities: np.ndarray | None = None
    probes: np.ndarray | None = None
    distractors: np.ndarray | None = None
    video: np.ndarray | None = None
    video_names: tuple[str, ...] = ()
    metadata: Mapping[str, np.ndarray] = field(default_factory=dict)


def load_lfw(
    folder: str | os.PathLike[str],
    pairs: str | os.PathLike[str] | None = None,
    *,
    image_size: int | tuple[int, int] = 112,
    landmarks: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> OpenSetData:
    """Load LFW, or a data set with its layout: a folder for each identity and a list of pairs."""
    home = expanded(folder)
    path = list_of_pairs(pairs, home, home, ("pairs.txt",))
    found = read_folders(home, image_size=image_size, landmarks=landmarks, progress=progress)
    listed = read_pairs(path, found.files, [found.files[i] for i in found.problems])
    return OpenSetData(found.name, found.images, listed, metadata={"file": np.array(found.files)})


def list_of_pairs(
    given: str | os.PathLike[str] | None, home: Path, base: Path, names: Sequence[str]
) -> Path:
    """The given list, else the first of ``names`` in ``home``, ``base`` or the folder above."""
    if given is not None:
        return expanded(given)
    candidates = (p / name for p in (home, base, home.resolve().parent) for name in names)
    path = next((p for p in candidates if p.is_file()), None)
    if path is None:
        raise InputError(f"There is no {names[0]} in {home} or the folder above; give its path.")
    return path


def read_pairs(path: Path, names: Sequence[str], damaged: Sequence[str] = ()) -> Pairs:
    """Read LFW's list of pairs.

    The first line has the number of folds and of matched pairs of each, such as "10<tab>300", or
    the latter alone (``pairsDevTrain.txt``: one fold). Each fold has as many mismatched pairs.
    "Name<tab>1<tab>4" is a matched pair, "Name<tab>1<tab>Other<tab>2" a mismatched one.
    """
    lines = read_lines(path)
    if not lines:
        raise InputError(f"{path} is empty; get it again.")
    folds, each = _head(path, lines[0])
    body = [(i, line) for i, line in enumerate(lines[1:], start=2) if line.strip()]
    if len(body) != folds * 2 * each:
        raise InputError(
            f"{path} announces {folds} x {2 * each} pairs but has {len(body):,} lines of pairs; "
            "get it again."
        )
    index = {os.path.splitext(name)[0]: i for i, name in enumerate(names)}
    broken = {os.path.splitext(name)[0] for name in damaged}
    first, second, same = [], [], []
    for number, line in body:
        where = f"{path}, line {number}"
        a, b, alike = _pair(where, line, index)
        for name in (a, b):
            if name not in index:
                raise InputError(f"{where} names {name}, which is not among the images.")
            if name in broken:
                raise InputError(f"{where} names {name}, which cannot be read; get it again.")
        first.append(index[a])
        second.append(index[b])
        same.append(alike)
    fold = np.repeat(np.arange(folds), 2 * each)
    n_matched = np.bincount(fold, same, minlength=folds)
    if (n_matched != each).any():
        odd = int(np.flatnonzero(n_matched != each)[0])
        raise InputError(
            f"{path} has {int(n_matched[odd])} matched pairs in fold {odd + 1}, but announces "
            f"{each}."
        )
    return Pairs(np.array(first), np.array(second), np.array(same), fold)


def _head(path: Path, line: str) -> tuple[int, int]:
    """Number of folds, and of matched pairs in each."""
    numbers = line.split()
    if not 1 <= len(numbers) <= 2 or not all(is_count(n) and int(n) > 0 for n in numbers):
        raise InputError(
            f"{path}, line 1 is {line[:60]!r}, but must have the number of folds and of matched "
            "pairs in each, such as 10 300."
        )
    return (1, int(numbers[0])) if len(numbers) == 1 else (int(numbers[0]), int(numbers[1]))


def is_count(text: str) -> bool:
    """Whether a text is an integer of at most nine digits."""
    return text.isdecimal() and len(text) <= 9


def _pair(where: str, line: str, index: Mapping[str, int]) -> tuple[str, str, bool]:
    """Two images without suffixes, and whether they match; folders may have _ for spaces."""
    # Names have no spaces where no tabs separate them from the numbers.
    for parts in ([part.strip() for part in line.strip().split("\t")], line.split()):
        match parts:
            case [name, i, j] if is_count(i) and is_count(j):
                found = [(name, i), (name, j)]
            case [name, i, other, j] if is_count(i) and is_count(j):
                found = [(name, i), (other, j)]
            case _:
                continue
        images = [f"{name}/{name}_{int(number):04d}" for name, number in found]
        a, b = (n if n in index else n.replace(" ", "_") for n in images)
        return a, b, len(parts) == 3
    raise InputError(
        f"{where} is {line[:60]!r}, but must be a name and two numbers, or name, number, "
        "name, number, separated by tabs."
    )
