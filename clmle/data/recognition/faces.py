"""Shared by all readers of face recognition data: split, cached pixels, warnings."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from clmle.data.base import LEFT_OUT, TEST, TRAIN, UNKNOWN, VALIDATION, Dataset, Progress
from clmle.data.pixel_cache import stored_pixels, warn_unreadable
from clmle.data.pixel_writing import Read
from clmle.data.pixels import check_image_size
from clmle.errors import InputError

HELD_OUT = 0.05  # fraction of an identity's images for validation, and for testing
SMALL = 5  # an identity with fewer images is only for training, unless all are that small
SCORES = 50_000_000  # bound on held-out images times identities, as every pair has a score


def identity_dataset(
    name: str,
    images: np.ndarray,
    problems: Mapping[int, str],
    identities: np.ndarray,
    metadata: Mapping[str, np.ndarray],
    seed: int = 0,
) -> Dataset:
    """A data set of the label ``identity`` (n,), divided by :func:`held_out`."""
    usable = np.ones(len(identities), dtype=bool)
    usable[list(problems)] = False
    names, numbers = np.unique(identities[usable], return_inverse=True)
    identity = np.full(len(identities), UNKNOWN, dtype=np.int64)
    identity[usable] = numbers
    return Dataset(
        name, images, held_out(identity, seed), labels={"identity": identity},
        class_names={"identity": tuple(map(str, names))}, metadata=metadata,
    )  # fmt: skip


def held_out(identity: np.ndarray, seed: int = 0) -> np.ndarray:
    """Split images by identity (n,), -1 unknown, into 0 train, 1 validation, 2 test, -1 left out.

    Of every identity with at least 5 images, 5 % (at least one) are for validation and as many for
    testing, up to a bound on their total; smaller identities are for training only. If all
    identities are smaller, those with 3 or 4 images have one of each.
    """
    split = np.full(len(identity), LEFT_OUT, dtype=np.int8)
    known = np.flatnonzero(identity != UNKNOWN)
    split[known] = TRAIN
    counts = np.bincount(identity[known]) if len(known) else np.zeros(1, dtype=np.int64)
    if counts.max() < 3:
        raise InputError(
            "No identity has three images, so none can be held out for validation and testing; "
            "add images of some identities."
        )
    each = np.maximum(1, np.round(HELD_OUT * counts).astype(np.int64))
    each[counts < (SMALL if counts.max() >= SMALL else 3)] = 0
    rng = np.random.default_rng([seed, len(known)])
    order = rng.permutation(known)
    order = order[np.argsort(identity[order], kind="stable")]
    # Rank of an image in a random order of its identity's images.
    rank = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
    number = each[identity[order]]
    most = max(500, SCORES // len(counts))
    for part, first in ((VALIDATION, 0), (TEST, 1)):
        chosen = order[(rank >= first * number) & (rank < (first + 1) * number)]
        split[rng.permutation(chosen)[:most]] = part
    return split


def sides_of(image_size: int | tuple[int, int], shape: tuple[int, int]) -> tuple[int, int]:
    """Height and width as given, or a height and the width in proportion to ``shape``."""
    if isinstance(image_size, int):
        image_size = (image_size, max(1, round(image_size * shape[1] / shape[0])))
    return check_image_size(image_size)


def read_faces(
    source: Path,
    what: str,
    facts: Any,
    n: int,
    sides: tuple[int, int],
    read: Read,
    progress: Progress | None = None,
) -> tuple[np.ndarray, dict[int, str]]:
    """Cached pixels of ``source``; one warning counts ``what`` cannot be read, such as "images"."""
    key = [str(source.resolve()), *sides]
    images, problems = stored_pixels(
        "recognition", repr(key), [key, facts], n, (*sides, 3), read, progress
    )
    warn_unreadable(problems, n, what)
    return images, problems
