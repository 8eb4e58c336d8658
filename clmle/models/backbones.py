"""Backbones by name."""

from collections.abc import Callable
from functools import partial

from torch import nn

from clmle.errors import InputError
from clmle.models.deepid2 import DeepID2
from clmle.models.feature_network import HIDDEN, FeatureNetwork
from clmle.models.pretrained import PretrainedBackbone, is_pretrained_name
from clmle.models.residual import ResidualCNN
from clmle.models.resnet18 import ResNet18
from clmle.models.resnet32 import ResNet32
from clmle.models.small import SmallCNN
from clmle.models.sphereface import SphereFaceCNN
from clmle.models.tiny import TinyCNN

Backbone = Callable[[int, tuple[int, int], int], nn.Module]

BACKBONES: dict[str, Backbone] = {
    "small": SmallCNN, "tiny": TinyCNN, "deepid2": DeepID2, "residual": ResidualCNN,
    "resnet18": ResNet18, "resnet32": ResNet32, "sphere20": partial(SphereFaceCNN, depth=20),
    "sphere64": partial(SphereFaceCNN, depth=64),
}  # fmt: skip
# For tables of features; "cosine" is "linear" with a head on cosines.
ON_FEATURES: dict[str, Backbone] = {
    "linear": FeatureNetwork,
    "cosine": FeatureNetwork,
    "mlp": partial(FeatureNetwork, hidden=HIDDEN),
}

Size = int | tuple[int, int]


def backbone_names() -> tuple[str, ...]:
    """Return the names of the networks for images that :func:`build_backbone` has itself."""
    return tuple(BACKBONES)


def check_backbone(name: str) -> None:
    """Raise an InputError if there is no backbone ``name``."""
    if name not in BACKBONES and name not in ON_FEATURES and not is_pretrained_name(name):
        raise InputError(
            f"There is no backbone {name!r}; choose one of: {', '.join(BACKBONES)}; for a table of "
            f"features: {', '.join(ON_FEATURES)}; or a published network such as timm:resnet18."
        )


def build_backbone(name: str, channels: int, image_size: Size, feature_dim: int) -> nn.Module:
    """Return a newly initialized network from (B, channels, height, width) to (B, feature_dim).

    A vector of features is an image of one pixel with as many channels.
    """
    check_backbone(name)
    sides = (image_size, image_size) if isinstance(image_size, int) else image_size
    if (sides == (1, 1)) != (name in ON_FEATURES):
        what, fitting = ("features", ON_FEATURES) if sides == (1, 1) else ("images", BACKBONES)
        raise InputError(
            f"Backbone {name!r} does not fit the data, which are {what}; choose one of: "
            f"{', '.join(fitting)}."
        )
    if is_pretrained_name(name):
        return PretrainedBackbone(name, channels, sides, feature_dim)
    return {**BACKBONES, **ON_FEATURES}[name](channels, sides, feature_dim)
