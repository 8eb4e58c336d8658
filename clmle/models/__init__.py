"""Networks: backbones (image to embedding) by name, and heads."""

from typing import TYPE_CHECKING

from clmle._lazy import load_lazily

if TYPE_CHECKING:
    from clmle.models.backbones import backbone_names, build_backbone
    from clmle.models.deepid2 import DeepID2
    from clmle.models.heads import Head, Heads
    from clmle.models.network import MultiNetwork, Network
    from clmle.models.residual import ResidualCNN
    from clmle.models.resnet18 import ResNet18
    from clmle.models.resnet32 import ResNet32
    from clmle.models.small import SmallCNN
    from clmle.models.sphereface import SphereFaceCNN
    from clmle.models.tiny import TinyCNN

load_lazily(__name__)
