"""Features of a published network by name: computed once with ``clmle features``, then cached."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from clmle.data.base import Dataset
from clmle.data.features import load_features
from clmle.data.features.files import feature_dim
from clmle.data.registry import DatasetInfo, register_dataset
from clmle.data.toonfaces.specs import ATTRIBUTES
from clmle.errors import InputError
from clmle.files import cache_dir

DIM = 1280  # of EfficientNet-lite0
# Name, what is computed, title, description, targets, and whether its test images are given.
SOURCES = (
    (
        "cifar10-features", "cifar10", "CIFAR-10", "Ten classes, 60,000 x 1,280 features",
        ("label",), True,
    ),
    (
        "expression-features", "PATH of the collection facial_expressions", "Facial expressions",
        "Photographs with an expression, 1,280 features each", ("expression", "identity"), False,
    ),
    (
        "toonfaces-features", "toonfaces", "Illustrated faces",
        "14 attributes, 9,000 x 1,280 features", ATTRIBUTES, True,
    ),
    (
        "toonfaces-styles-features", "toonfaces-styles",
        "Illustrated faces by drawing style", "Ten classes, 9,000 x 1,280 features",
        ("face",), True,
    ),
)  # fmt: skip


def _file(name: str) -> Path:
    return cache_dir() / f"{name}.npy"


def _is_here(name: str) -> bool:
    return _file(name).is_file()


def _dim(name: str, path: str) -> int:
    return feature_dim(_file(name)) or DIM


def stored_features(name: str, source: str) -> Path:
    """The file of features of a data set; an InputError with the command that computes it."""
    file = _file(name)
    if not file.exists():
        raise InputError(
            f"{name} is not in {file.parent}; compute it once: clmle features {source} "
            f"--backbone efficientnet-lite0 --image-size 112 --out {file}."
        )
    return file


def register_features(
    name: str,
    title: str,
    description: str,
    load: Callable[..., Dataset],
    targets: tuple[str, ...],
    *,
    fixed: bool = False,
    order: int = 50,
) -> None:
    """Register a data set of features that are kept in the folder of caches."""
    register_dataset(
        DatasetInfo(
            name=name,
            title=f"{title}, features of EfficientNet-lite0",
            description=f"{description}; computed once with clmle features.",
            load=load,
            kind="label" if len(targets) < 3 else "attributes",
            targets=targets,
            fixed_test=fixed,
            is_downloaded=partial(_is_here, name),
            feature_dim=partial(_dim, name),
            order=order,
        )
    )


def _load(name: str, source: str, *, seed: int = 0) -> Dataset:
    return load_features(stored_features(name, source), seed=seed)


for order, (name, source, title, description, targets, fixed) in enumerate(SOURCES, start=19):
    register_features(
        name, title, description, partial(_load, name, source), targets, fixed=fixed, order=order
    )
