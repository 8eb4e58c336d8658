"""The network that every method shares: a backbone and a linear head, or one head per attribute."""

import torch
from torch import Tensor, nn

from clmle.models.backbones import Size, build_backbone
from clmle.models.heads import Head, Heads

TRUNK_DIM = 160  # input of the heads of several attributes, as wide as DeepID2's last layer


class Network(nn.Module):
    """A backbone and a head: images to z (B, d) and logits (B, C)."""

    def __init__(
        self,
        backbone: str,
        channels: int,
        image_size: Size,
        feature_dim: int,
        n_classes: int,
        cosine_scale: float | None = None,
    ) -> None:
        super().__init__()
        self.backbone = build_backbone(backbone, channels, image_size, feature_dim)
        self.head = Head(feature_dim, n_classes, cosine_scale)

    def forward(self, images: Tensor, detach_head: bool = False) -> tuple[Tensor, Tensor]:
        features = self.backbone(images)
        return features, self.head(features.detach() if detach_head else features)


class MultiNetwork(nn.Module):
    """A backbone and one head for each of A attributes: images to z (B, A, d), logits (B, A, 2)."""

    def __init__(
        self,
        backbone: str,
        channels: int,
        image_size: Size,
        feature_dim: int,
        n_heads: int,
        cosine_scale: float | None = None,
    ) -> None:
        super().__init__()
        self.backbone = build_backbone(backbone, channels, image_size, TRUNK_DIM)
        self.head = Heads(n_heads, TRUNK_DIM, feature_dim, cosine_scale)

    def forward(self, images: Tensor, detach_head: bool = False) -> tuple[Tensor, Tensor]:
        trunk = torch.relu(self.backbone(images))
        outputs: tuple[Tensor, Tensor] = self.head(trunk, detach_head)
        return outputs
