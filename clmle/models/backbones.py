"""Backbones by name."""

from collections.abc import Callable
from functools import partial

from torch import nn

from clmle.errors import InputError
from clmle.models.deepid2 import DeepID2
from clmle.models.residual import ResidualCNN
from clmle.models.resnet18 import ResNet18
from clmle.models.small import SmallCNN
from clmle.models.sphereface import SphereFaceCNN
from clmle.models.tiny import TinyCNN

BACKBONES: dict[str, Callable[[int, tuple[int, int], int], nn.Module]] = {
    "small": SmallCNN,
    "tiny": TinyCNN,
    "deepid2": DeepID2,
    "residual": ResidualCNN,
    "resnet18": ResNet18,
    "sphere20": partial(SphereFaceCNN, depth=20),
    "sphere64": partial(SphereFaceCNN, depth=64),
}

Size = int | tuple[int, int]


def backbone_names() -> tuple[str, ...]:
    """Return the names that :func:`build_backbone` accepts."""
    return tuple(BACKBONES)


def build_backbone(name: str, channels: int, image_size: Size, feature_dim: int) -> nn.Module:
    """Return a newly initialized network from (B, channels, height, width) to (B, feature_dim)."""
    if name not in BACKBONES:
        raise InputError(f"There is no backbone {name!r}; choose one of: {', '.join(BACKBONES)}.")
    sides = (image_size, image_size) if isinstance(image_size, int) else image_size
    return BACKBONES[name](channels, sides, feature_dim)
