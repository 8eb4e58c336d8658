"""Backbones by name."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from clmle.errors import InputError
from clmle.models.deepid2 import DeepID2
from clmle.models.residual import ResidualCNN
from clmle.models.resnet18 import ResNet18
from clmle.models.small import SmallCNN
from clmle.models.sphereface import Sphere20, Sphere64
from clmle.models.tiny import TinyCNN

BACKBONES: dict[str, Callable[[int, tuple[int, int], int], nn.Module]] = {
    "small": SmallCNN,
    "tiny": TinyCNN,
    "deepid2": DeepID2,
    "residual": ResidualCNN,
    "resnet18": ResNet18,
    "sphere20": Sphere20,
    "sphere64": Sphere64,
}

Size = int | tuple[int, int]


def backbone_names() -> tuple[str, ...]:
    """Return the names that :func:`build_backbone` accepts.

    Returns
    -------
    tuple of str

    Examples
    --------
    >>> "deepid2" in backbone_names()
    True
    """
    return tuple(BACKBONES)


def build_backbone(name: str, channels: int, image_size: Size, feature_dim: int) -> nn.Module:
    """Return a newly initialized network from (B, channels, height, width) to (B, feature_dim).

    Parameters
    ----------
    name : str
        One of :func:`backbone_names`.
    channels : int
    image_size : (int, int) or int
        Height and width in pixels, or one number for square images.
    feature_dim : int

    Returns
    -------
    torch.nn.Module
        Its weights come from PyTorch's global generator; seed it for a reproducible start.

    Raises
    ------
    InputError
        There is no such backbone, or the images are too small for it.

    Examples
    --------
    >>> import torch
    >>> build_backbone("tiny", 3, 32, 16)(torch.zeros(4, 3, 32, 32)).shape
    torch.Size([4, 16])
    """
    if name not in BACKBONES:
        raise InputError(f"There is no backbone {name!r}; choose one of: {', '.join(BACKBONES)}.")
    sides = (image_size, image_size) if isinstance(image_size, int) else image_size
    return BACKBONES[name](channels, sides, feature_dim)
