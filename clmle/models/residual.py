"""A small residual network with about as many multiplications as ``deepid2``."""

import torch
import torch.nn.functional as F
from torch import nn

from clmle.models._backbone import Backbone, convolution


class Block(nn.Module):
    """Two 3 x 3 convolutions with a shortcut (He and others, CVPR 2016)."""

    def __init__(self, channels: int, maps: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, maps, 3, stride, 1, bias=False)
        self.first_normal = nn.BatchNorm2d(maps)
        self.second = nn.Conv2d(maps, maps, 3, 1, 1, bias=False)
        self.second_normal = nn.BatchNorm2d(maps)
        # Initially a block is its shortcut (Goyal and others 2017, arXiv:1706.02677).
        nn.init.zeros_(self.second_normal.weight)
        self.shortcut: nn.Module = nn.Identity()
        if stride > 1 or channels != maps:
            self.shortcut = nn.Sequential(
                nn.Conv2d(channels, maps, 1, stride, bias=False), nn.BatchNorm2d(maps)
            )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = F.relu(self.first_normal(self.first(x)))
        return F.relu(self.second_normal(self.second(y)) + self.shortcut(x))


class ResidualCNN(Backbone):
    """A stem of stride 2, then blocks of 16, 32 and 64 maps, pooled to 2 x 2.

    Images have 16 x 16 pixels or more; about 8 million multiplications for an image of 55 x 47.
    """

    def __init__(self, channels: int, image_size: tuple[int, int], feature_dim: int = 64) -> None:
        super().__init__()
        self.features = nn.Sequential(
            *convolution(channels, 16, 3, 2, 1),
            Block(16, 16, 1),
            Block(16, 32, 2),
            Block(32, 64, 2),
            nn.AdaptiveAvgPool2d(2),
        )
        self.embedding = nn.Linear(64 * 4, feature_dim)
