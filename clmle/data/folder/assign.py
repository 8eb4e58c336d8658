"""The split of each image: as given, else drawn, with groups and copies kept together."""

from collections.abc import Hashable, Sequence

import numpy as np

from clmle.data.base import LEFT_OUT, SPLITS, TEST, TRAIN, UNKNOWN, VALIDATION
from clmle.errors import some

UNSPLIT = -2


def draw_split(
    labels: np.ndarray, groups: Sequence[Sequence[str]], copies: np.ndarray, seed: int
) -> np.ndarray:
    """70 % train, 10 % validation and 20 % test: of the groups, or of the images of each class."""
    rng = np.random.default_rng(seed)
    keys: list[list[Hashable | None]] = [[v or None for v in column] for column in groups]
    unit = _units([*keys, copies.tolist()])
    if not groups:
        split = np.full(len(labels), TRAIN, dtype=np.int8)
        _draw(split, labels, unit, {TEST: 5, VALIDATION: 10}, rng)
        return split
    # In the order of the groups' names, so that the order of the rows does not matter.
    first: dict[int, tuple[str, int]] = {}
    for row, u in enumerate(unit):
        name = min((c[row] for c in groups if c[row]), default="\U0010ffff")
        first[u] = min(first.get(u, (name, row)), (name, row))
    units = sorted(first, key=lambda u: first[u])
    draw = dict(zip(units, rng.random(len(units)).tolist(), strict=True))
    of_unit = {u: TRAIN if d < 0.7 else VALIDATION if d < 0.8 else TEST for u, d in draw.items()}
    for missing in (TRAIN, TEST, VALIDATION) if len(units) >= 3 else ():
        if missing not in of_unit.values():
            taken = list(of_unit.values())
            often = max((TRAIN, TEST, VALIDATION), key=taken.count)
            of_unit[next(u for u in units if of_unit[u] == often)] = missing
    return np.array([of_unit[u] for u in unit], dtype=np.int8)


def complete_split(
    given: Sequence[int],
    labels: np.ndarray,
    groups: Sequence[Sequence[str]],
    copies: np.ndarray,
    seed: int,
) -> tuple[np.ndarray, list[str]]:
    """A given split; a part that is missing is drawn from the training images."""
    split = np.array(given, dtype=np.int8)
    warnings = _leave_out_copies(split, labels, copies)
    for column in groups:
        torn = _torn(split, column)
        if torn:
            warnings.append(
                f"{len(torn):,} groups are in several splits, as given: {some(torn, 3)}."
            )
    fractions = {k: f for k, f in {TEST: 5, VALIDATION: 8}.items() if k not in split}
    train = np.flatnonzero(split == TRAIN).tolist()
    if fractions and train:
        keys: list[list[Hashable | None]] = [[c[i] or None for i in train] for c in groups]
        part = split[train]
        rng = np.random.default_rng(seed)
        _draw(part, labels[train], _units([*keys, copies[train].tolist()]), fractions, rng)
        split[train] = part
        names = " and ".join(SPLITS[kind] for kind in fractions)
        warnings.append(f"There are no {names} images; they are drawn from the training images.")
    return split, warnings


def _draw(
    split: np.ndarray, labels: np.ndarray, unit: list[int], fractions: dict[int, int], rng: object
) -> None:
    """Move units of the images of each class, 1 of 5 for example, to other splits."""
    assert isinstance(rng, np.random.Generator)
    rows: dict[int, list[int]] = {}
    for row, u in enumerate(unit):
        rows.setdefault(u, []).append(row)
    classes: dict[int, list[int]] = {}
    for u, members in rows.items():
        classes.setdefault(int(labels[members[0]]), []).append(u)
    for label in sorted(classes):
        # Every class of enough images is in all splits.
        units = rng.permutation(classes[label]).tolist()
        if len(units) <= len(fractions):
            continue
        start = 0
        for kind, denominator in fractions.items():
            end = start + max(1, len(units) // denominator)
            for u in units[start:end]:
                split[rows[u]] = kind
            start = end


def _units(keys: Sequence[Sequence[Hashable | None]]) -> list[int]:
    """Number of the connected rows: those with an equal key, directly or through others."""
    parent = list(range(len(keys[0])))
    keys = [column for column in keys if column != parent]  # no two rows have an equal key
    if not keys:
        return parent

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    for column in keys:
        first: dict[Hashable, int] = {}
        for i, key in enumerate(column):
            if key is not None:
                a, b = root(first.setdefault(key, i)), root(i)
                parent[max(a, b)] = min(a, b)
    return [root(i) for i in range(len(parent))]


def _leave_out_copies(split: np.ndarray, labels: np.ndarray, copies: np.ndarray) -> list[str]:
    """Leave out training and validation images of which there are copies in a later split."""
    held: set[int] = set()
    leaving = np.zeros(len(split), dtype=bool)
    for kind in (TEST, VALIDATION, TRAIN):
        own = split == kind
        leaving |= own & np.isin(copies, list(held))
        held |= set(copies[own].tolist())
    if not leaving.any():
        return []
    trained = set(labels[split == TRAIN].tolist()) - {UNKNOWN}
    n = int(leaving.sum())
    what = f"{n:,} training or validation images are copies of validation or test images"
    if trained - set(labels[(split == TRAIN) & ~leaving].tolist()):
        return [f"{what} and are kept, since a class would lose all its training images."]
    split[leaving] = LEFT_OUT
    return [f"{what} and are left out."]


def _torn(split: np.ndarray, groups: Sequence[str]) -> list[str]:
    found: dict[str, set[int]] = {}
    for kind, group in zip(split.tolist(), groups, strict=True):
        if group and kind != LEFT_OUT:
            found.setdefault(group, set()).add(kind)
    return sorted(group for group, kinds in found.items() if len(kinds) > 1)
