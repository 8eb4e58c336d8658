"""Tables of features as data sets: ``.parquet``, ``.npz``, ``.csv``, or ``.npy`` with a table."""

from __future__ import annotations

import os
import warnings
from hashlib import blake2b
from pathlib import Path

import numpy as np

from clmle.data.base import Dataset
from clmle.data.features.files import feature_dim, read_features
from clmle.data.folder import split_rows
from clmle.data.folder.columns import FILES, plain, roles_of
from clmle.data.folder.rows import Rows
from clmle.data.folder.targets import Targets
from clmle.data.registry import DatasetInfo, register_dataset
from clmle.errors import InputError
from clmle.files import expanded


def load_features(
    path: str | os.PathLike[str],
    *,
    labels: str | os.PathLike[str] | None = None,
    seed: int = 0,
) -> Dataset:
    """Load features and labels from a file as a data set whose ``images`` are (n, d).

    Columns have the same roles as in a table of images: file, split, group and targets.
    """
    found = read_features(path, labels)
    file = expanded(path)
    n, d = found.features.shape
    columns = dict(found.columns)
    named = next((name for name in columns if plain(name) in FILES), None)
    files = [f"row {i + 1}" for i in range(n)] if named is None else columns.pop(named)
    roles = roles_of(columns)
    rows = Rows(
        files,
        {name: columns[name] for name in roles.targets},
        roles.split,
        {name: columns[name] for name in roles.groups},
        roles.default,
    )
    targets = Targets(rows.targets)
    if not targets.attributes and not targets.labels:
        raise InputError(f"{file} has no column of attributes or classes.")
    split, notes = split_rows(rows, targets, copies_of(found.features), seed)
    sentences = [*found.warnings, *roles.warnings, *targets.warnings, *notes]
    for text in sentences:
        warnings.warn(text, stacklevel=2)
    return Dataset(
        Path(file).stem,
        found.features,
        split,
        targets.attributes,
        targets.labels,
        targets.class_names,
        {} if named is None else {"file": np.array(files)},
        sentences,
        rows.default if rows.default in {**targets.attributes, **targets.labels} else "",
        f"a table of {d:,} features",
    )


def copies_of(features: np.ndarray) -> np.ndarray:
    """For each row (n, d), the index of the first row with equal features, as of copied images."""
    first: dict[bytes, int] = {}
    return np.array(
        [
            first.setdefault(blake2b(row.tobytes(), digest_size=12).digest(), i)
            for i, row in enumerate(features)
        ]
    )


register_dataset(
    DatasetInfo(
        name="table of features",
        title="Features of a network",
        description="A .parquet, .npz or .csv file of features, or .npy with a table of labels.",
        load=load_features,
        recognize=lambda path: feature_dim(path) is not None,
        feature_dim=feature_dim,
        order=70,
    )
)
