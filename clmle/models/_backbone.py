"""The common part of most backbones: convolutions, then one linear layer."""

from torch import Tensor, nn


class Backbone(nn.Module):
    """Images (B, channels, height, width) to features (B, feature_dim), not normalized."""

    features: nn.Module  # the convolutions
    embedding: nn.Module

    def forward(self, images: Tensor) -> Tensor:
        z: Tensor = self.embedding(self.features(images).flatten(1))
        return z
