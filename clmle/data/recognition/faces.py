"""What all training sets of identities share: cached pixels, a split, damaged images named."""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from clmle.data.base import TEST, TRAIN, UNKNOWN, VALIDATION, Dataset
from clmle.data.pixel_cache import Progress, Read, cached_pixels
from clmle.errors import InputError
from clmle.files import cache_dir

LEFT_OUT = -1  # of a split
HELD_OUT = 0.05  # share of an identity's images that validates, and that tests
FEW = 5  # an identity with fewer images only trains, where any has more
SCORES = 50_000_000  # images held out times identities: each image has a score for each


def identity_dataset(
    name: str,
    images: np.ndarray,
    problems: Mapping[int, str],
    people: np.ndarray,
    metadata: Mapping[str, np.ndarray],
    seed: int = 0,
) -> Dataset:
    """A data set with the target ``identity``; images with ``problems`` are left out of it.

    ``people`` (n,) names the identity of every image. The split holds out images of known
    identities (see :func:`held_out`): recognition itself is judged on other people.
    """
    usable = np.ones(len(people), dtype=bool)
    usable[list(problems)] = False
    names, numbers = np.unique(people[usable], return_inverse=True)
    identity = np.full(len(people), UNKNOWN, dtype=np.int64)
    identity[usable] = numbers
    return Dataset(
        name,
        images,
        held_out(identity, seed),
        labels={"identity": identity},
        class_names={"identity": tuple(map(str, names))},
        metadata=metadata,
    )


def held_out(identity: np.ndarray, seed: int = 0) -> np.ndarray:
    """0 train, 1 validation, 2 test, -1 left out, (n,) int8, for identities (n,) (-1 unknown).

    Of every identity with at least 5 images 5 % (one at least) validate and as many test, up to a
    bound on all; smaller identities only train. Where all are small, those with 3 or 4 images
    give one to each.

    Raises
    ------
    InputError
        No identity has three images.
    """
    split = np.full(len(identity), LEFT_OUT, dtype=np.int8)
    known = np.flatnonzero(identity != UNKNOWN)
    split[known] = TRAIN
    counts = np.bincount(identity[known]) if len(known) else np.zeros(1, dtype=np.int64)
    if counts.max() < 3:
        raise InputError(
            "No identity has three images, so none can be held out to validate and test; "
            "add images of some identities."
        )
    each = np.maximum(1, np.round(HELD_OUT * counts).astype(np.int64))
    each[counts < (FEW if counts.max() >= FEW else 3)] = 0
    rng = np.random.default_rng([seed, len(known)])
    order = rng.permutation(known)
    order = order[np.argsort(identity[order], kind="stable")]
    # Place of an image in a random order of its identity's images.
    place = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
    number = each[identity[order]]
    most = max(500, SCORES // len(counts))
    for part, first in ((VALIDATION, 0), (TEST, 1)):
        chosen = order[(place >= first * number) & (place < (first + 1) * number)]
        split[rng.permutation(chosen)[:most]] = part
    return split


def sides_of(image_size: int | tuple[int, int], shape: tuple[int, int]) -> tuple[int, int]:
    """Pixels down and across: as given, else ``image_size`` down and across in proportion.

    ``shape`` is (height, width) of the images as they are.
    """
    if isinstance(image_size, int):
        sides = (image_size, max(1, round(image_size * shape[1] / shape[0])))
    else:
        sides = image_size
    if not all(8 <= side <= 1024 for side in sides):
        raise InputError(f"image_size is {image_size}, but must be from 8 to 1024 pixels.")
    return sides


def stored_pixels(
    source: Path,
    facts: Any,
    n: int,
    sides: tuple[int, int],
    read: Read,
    progress: Progress | None = None,
    root: str | os.PathLike[str] | None = None,
) -> tuple[np.ndarray, dict[int, str]]:
    """:func:`cached_pixels` in a folder named after ``source``; ``facts`` tell a changed source."""
    parts = [str(source.resolve()), *sides]
    name = hashlib.sha256(repr(parts).encode()).hexdigest()[:12]
    stamp = hashlib.sha256(repr([parts, facts]).encode()).hexdigest()[:16]
    store = Path(root) if root is not None else cache_dir() / "recognition"
    return cached_pixels(store / name, stamp, n, (*sides, 3), read, progress)


def tell_damaged(problems: Mapping[int, str] | list[str], total: int, what: str) -> None:
    """One warning that counts what was left out and names the first five; an error if it was all.

    ``what`` names the things in the plural, such as "records of train.rec".
    """
    sentences = (
        [problems[i] for i in sorted(problems)] if isinstance(problems, Mapping) else problems
    )
    if not sentences:
        return
    if len(sentences) >= total:
        raise InputError(f"None of the {total:,} {what} can be read: {sentences[0]}.")
    warnings.warn(
        f"{len(sentences):,} of {total:,} {what} are left out: {'; '.join(sentences[:5])}"
        f"{'; ...' if len(sentences) > 5 else ''}.",
        stacklevel=3,
    )


def text_lines(path: Path) -> list[str]:
    """Lines of a text file; one that cannot be read is named."""
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read as text ({error}); get it again.") from error
