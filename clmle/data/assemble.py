"""A data set from images and columns of values: roles of the columns, targets, and the split."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from warnings import warn

import numpy as np

from clmle.data.base import LEFT_OUT, SPLITS, TEST, TRAIN, UNKNOWN, VALIDATION, Dataset
from clmle.data.folder import copies_of
from clmle.data.folder.assign import complete_split, draw_split
from clmle.data.folder.columns import roles_of
from clmle.data.folder.targets import Targets
from clmle.data.missing import is_missing
from clmle.data.pixel_cache import warn_unreadable
from clmle.data.recognition.faces import held_out


@dataclass
class Columns:
    """What is known of n images, next to their pixels.

    Parameters
    ----------
    texts : dict of str to list of str
        Columns as text, empty where unknown.
    attributes : dict of str to (n,) int8
        Columns that are certainly binary.
    classes : dict of str to ((n,) int64, names)
        Columns of ``texts`` whose classes have a given order.
    split : sequence of int, optional
        0 train, 1 validation, 2 test, -1 none of them; None if it is not known.
    files : list of str, optional
        Names of the images.
    warnings : list of str
        Sentences for the user.
    """

    texts: dict[str, list[str]] = field(default_factory=dict)
    attributes: dict[str, np.ndarray] = field(default_factory=dict)
    classes: dict[str, tuple[np.ndarray, tuple[str, ...]]] = field(default_factory=dict)
    split: Sequence[int] | None = None
    files: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def assemble(
    name: str,
    images: np.ndarray,
    columns: Columns,
    *,
    seed: int = 0,
    identities: bool = False,
    recognized: str = "",
    unread: Mapping[int, str] | None = None,
    what: str = "images",
) -> Dataset:
    """Make a data set; a split that is not given is drawn, with groups and copies together.

    With ``identities`` every identity has training images; otherwise no identity, or other group,
    is in two drawn splits. A given split without validation images is also kept as
    ``metadata["published_split"]``. Rows of ``unread`` images, of ``what``, are in no split.
    """
    roles = roles_of(columns.texts)
    targets = Targets({n: columns.texts[n] for n in roles.targets if n not in columns.classes})
    known = {n: columns.classes[n] for n in roles.targets if n in columns.classes}
    labels = {n: values for n, (values, _) in known.items()} | targets.labels
    names = {n: named for n, (_, named) in known.items()} | targets.class_names
    order = [n for n in columns.texts if n in labels]  # as in the file
    labels = {n: labels[n] for n in order}
    attributes = columns.attributes | targets.attributes
    if roles.groups:
        labels["identity"], names["identity"] = _codes(columns.texts[roles.groups[0]])
    warnings = [*columns.warnings, *roles.warnings, *targets.warnings]
    default = roles.default if roles.default in labels or roles.default in attributes else ""
    in_file = [n for n in columns.texts if n in {**attributes, **labels} and n not in roles.groups]
    default = default or next(iter((*known, *in_file, *attributes, *labels)), "")
    groups = [[v if not is_missing(v) else "" for v in columns.texts[g]] for g in roles.groups]
    given = columns.split if columns.split is not None else roles.split
    if identities and "identity" in labels:
        split = held_out(labels["identity"], seed)
        default = "identity"
    else:
        values = np.asarray({**attributes, **labels}[default]) if default else np.zeros(len(images))
        split, notes = _split(images, given, values, groups, seed)
        warnings += notes
    split[list(unread or {})] = LEFT_OUT
    metadata = {"file": np.array(columns.files)} if columns.files else {}
    if given is not None and {TRAIN, TEST} <= set(given) and VALIDATION not in given:
        metadata["published_split"] = np.array(given, dtype=np.int8)
    for text in warnings:
        warn(text, stacklevel=2)
    warnings += warn_unreadable(unread or {}, len(images), what)
    return Dataset(
        name,
        images,
        split,
        attributes,
        labels,
        names,
        metadata=metadata,
        warnings=warnings,
        default=default,
        recognized=recognized,
        drawn_split=given is None,
    )


def _split(
    images: np.ndarray,
    given: Sequence[int] | None,
    values: np.ndarray,
    groups: list[list[str]],
    seed: int,
) -> tuple[np.ndarray, list[str]]:
    """The given split as it is, with what is missing drawn from the training images."""
    if given is None:
        return draw_split(values, groups, copies_of(images), seed), []
    split = np.array(given, dtype=np.int8)
    notes = []
    for kind in (VALIDATION, TEST):  # test sets are often published without labels
        rows = split == kind
        if rows.any() and (values[rows] == UNKNOWN).all():
            split[rows] = LEFT_OUT
            notes.append(f"The {int(rows.sum()):,} {SPLITS[kind]} images have no label.")
    if all(kind in split for kind in range(len(SPLITS))) or TRAIN not in split:
        return split, notes
    copies = np.arange(len(split))
    train = np.flatnonzero(split == TRAIN)
    copies[train] = train[copies_of(images, train)]
    split, more = complete_split(split.tolist(), values, groups, copies, seed)
    return split, [*notes, *more]


def _codes(values: list[str]) -> tuple[np.ndarray, tuple[str, ...]]:
    found = tuple(sorted({v for v in values if not is_missing(v)}))
    index = {v: i for i, v in enumerate(found)}
    return np.array([index.get(v, UNKNOWN) for v in values], dtype=np.int64), found
