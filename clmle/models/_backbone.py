"""The common part of most backbones: convolutions, then one linear layer."""

import torch
from torch import nn


class Backbone(nn.Module):
    """Images (B, channels, height, width) to features (B, feature_dim), not normalized."""

    features: nn.Module  # the convolutions
    embedding: nn.Module

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        z: torch.Tensor = self.embedding(self.features(images).flatten(1))
        return z
