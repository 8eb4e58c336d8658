"""Features of a published network by name: computed once with ``clmle features``, then cached."""

from pathlib import Path

from clmle.data.base import Dataset
from clmle.data.features import load_features
from clmle.data.features.files import feature_dim
from clmle.data.registry import DatasetInfo, register_dataset
from clmle.errors import InputError
from clmle.files import cache_dir

BACKBONE = "efficientnet-lite0"
PIXELS = 112  # 1,280 features; at 224 pixels the same network takes four times as long


def _file(name: str) -> Path:
    return cache_dir() / f"{name}.npy"


def _load(name: str, source: str, seed: int) -> Dataset:
    file = _file(name)
    if not file.exists():
        raise InputError(
            f"{name} is not in {file.parent}; compute it once: clmle features {source} --backbone "
            f"{BACKBONE} --image-size {PIXELS} --out {file}."
        )
    return load_features(file, seed=seed)


def load_cifar10_features(*, seed: int = 0) -> Dataset:
    """Features (60,000, 1,280) of the photographs of CIFAR-10 by EfficientNet-lite0."""
    return _load("cifar10-features", "cifar10", seed)


register_dataset(
    DatasetInfo(
        name="cifar10-features",
        title="CIFAR-10, features of EfficientNet-lite0",
        description="Ten classes, 60,000 x 1,280 features; computed once with clmle features.",
        load=load_cifar10_features,
        targets=("label",),
        is_downloaded=lambda: _file("cifar10-features").is_file(),
        feature_dim=lambda _: feature_dim(_file("cifar10-features")) or 1280,
        order=19,
    )
)
