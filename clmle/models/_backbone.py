"""The common parts of most backbones: convolutions, then one linear layer."""

from torch import Tensor, nn


class Backbone(nn.Module):
    """Images (B, channels, height, width) to features (B, feature_dim), not normalized."""

    features: nn.Module  # the convolutions
    embedding: nn.Module

    def forward(self, images: Tensor) -> Tensor:
        z: Tensor = self.embedding(self.features(images).flatten(1))
        return z


def convolution(
    channels: int, maps: int, kernel: int, stride: int = 1, padding: int = 0
) -> list[nn.Module]:
    """A convolution, batch normalization and ReLU."""
    layer = nn.Conv2d(channels, maps, kernel, stride, padding, bias=False)
    return [layer, nn.BatchNorm2d(maps), nn.ReLU(inplace=True)]
