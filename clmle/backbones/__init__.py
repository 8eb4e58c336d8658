"""Networks from image to feature, found by name."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from clmle.backbones.small import SmallCNN
from clmle.backbones.tiny import TinyCNN
from clmle.errors import InputError

_BACKBONES: dict[str, Callable[[int, int, int], nn.Module]] = {
    "small": SmallCNN,
    "tiny": TinyCNN,
}


def backbone_names() -> tuple[str, ...]:
    """Names that :func:`build_backbone` accepts."""
    return tuple(_BACKBONES)


def build_backbone(name: str, channels: int, image_size: int, feature_dim: int) -> nn.Module:
    """A freshly initialised network (B, channels, size, size) -> (B, feature_dim).

    Weights come from PyTorch's global generator: seed it first for a repeatable start.
    """
    if name not in _BACKBONES:
        raise InputError(f"There is no backbone {name!r}; choose one of: {', '.join(_BACKBONES)}.")
    return _BACKBONES[name](channels, image_size, feature_dim)


__all__ = ["SmallCNN", "TinyCNN", "backbone_names", "build_backbone"]
