"""Features of a published network by name: computed once with ``clmle features``, then cached."""

from pathlib import Path

from clmle.data.base import Dataset
from clmle.data.features import load_features
from clmle.data.features.files import feature_dim
from clmle.data.registry import DatasetInfo, register_dataset
from clmle.errors import InputError
from clmle.files import cache_dir

NAME = "cifar10-features"
COMMAND = "clmle features cifar10 --backbone efficientnet-lite0 --image-size 112 --out"


def _file() -> Path:
    return cache_dir() / f"{NAME}.npy"


def load_cifar10_features(*, seed: int = 0) -> Dataset:
    """Features (60,000, 1,280) of the photographs of CIFAR-10 by EfficientNet-lite0."""
    file = _file()
    if not file.exists():
        raise InputError(f"{NAME} is not in {file.parent}; compute it once: {COMMAND} {file}.")
    return load_features(file, seed=seed)


register_dataset(
    DatasetInfo(
        name=NAME,
        title="CIFAR-10, features of EfficientNet-lite0",
        description="Ten classes, 60,000 x 1,280 features; computed once with clmle features.",
        load=load_cifar10_features,
        targets=("label",),
        is_downloaded=lambda: _file().is_file(),
        feature_dim=lambda _: feature_dim(_file()) or 1280,
        order=19,
    )
)
