"""ResNet-32 for CIFAR (He and others, CVPR 2016): the network of published long-tailed results."""

import torch
import torch.nn.functional as F
from torch import nn

from clmle.models._backbone import Backbone, convolution
from clmle.models.residual import Block

STAGES = ((16, 1), (32, 2), (64, 2))  # maps, stride of the first of five blocks


class _Padded(nn.Module):
    """The shortcut without weights: every second pixel, and maps of zeros."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        half = x.shape[1] // 2  # twice as many maps: as many zeros, half before and half after
        return F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, half, half))


class ResNet32(Backbone):
    """A 3 x 3 stem, three stages of five blocks, average pooling and a linear layer.

    0.46 million weights, about 69 million multiplications for an image of 32 x 32.
    """

    def __init__(self, channels: int, image_size: tuple[int, int], feature_dim: int = 64) -> None:
        super().__init__()
        blocks: list[nn.Module] = []
        before = 16
        for maps, stride in STAGES:
            first = Block(before, maps, stride)
            if stride > 1:
                first.shortcut = _Padded()
            blocks += [first, *(Block(maps, maps, 1) for _ in range(4))]
            before = maps
        self.features = nn.Sequential(
            *convolution(channels, 16, 3, 1, 1), *blocks, nn.AdaptiveAvgPool2d(1)
        )
        self.embedding = nn.Linear(before, feature_dim)
