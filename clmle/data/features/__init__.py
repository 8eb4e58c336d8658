"""Tables of features as data sets: ``.parquet``, ``.npz``, ``.csv``, or ``.npy`` with a table."""

import os
import warnings

from clmle.data.assemble import Columns, assemble
from clmle.data.base import Dataset
from clmle.data.features.files import feature_dim, read_features
from clmle.data.folder.columns import FILES, plain
from clmle.data.registry import DatasetInfo, register_dataset
from clmle.errors import InputError
from clmle.files import expanded


def load_features(
    path: str | os.PathLike[str],
    *,
    labels: str | os.PathLike[str] | None = None,
    seed: int = 0,
    identities: bool = False,
) -> Dataset:
    """Load features and labels from a file as a data set whose ``images`` are (n, d).

    Columns have the same roles as in a table of images: file, split, group and targets.
    """
    found, file = read_features(path, labels), expanded(path)
    texts = dict(found.columns)
    named = next((name for name in texts if plain(name) in FILES), None)
    files = [] if named is None else texts.pop(named)
    dataset = assemble(
        file.stem,
        found.features,
        Columns(texts, files=files, warnings=found.warnings),
        seed=seed,
        identities=identities,
        recognized=f"a table of {found.features.shape[1]:,} features",
    )
    if not dataset.targets:
        raise InputError(f"{file} has no column of attributes or classes.")
    for text in dataset.warnings:
        warnings.warn(text, stacklevel=2)
    return dataset


register_dataset(
    DatasetInfo(
        name="table of features",
        title="Features of a network",
        description="A .parquet, .npz or .csv file of features, or .npy with a table of labels.",
        load=load_features,
        recognize=lambda path: feature_dim(path) is not None,
        feature_dim=feature_dim,
        order=18,
    )
)
