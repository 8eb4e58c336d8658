"""ResNet-18 (He and others, CVPR 2016): a large baseline network."""

from torch import nn

from clmle.models._backbone import Backbone, convolution
from clmle.models.residual import Block

STAGES = ((64, 1), (128, 2), (256, 2), (512, 2))  # maps, stride of the first of two blocks


class ResNet18(Backbone):
    """A 7 x 7 stem of stride 2, max pooling, eight blocks, average pooling and a linear layer.

    11 million weights, about 112 million multiplications for an image of 55 x 47.
    """

    def __init__(self, channels: int, image_size: tuple[int, int], feature_dim: int = 64) -> None:
        super().__init__()
        blocks: list[nn.Module] = []
        before = 64
        for maps, stride in STAGES:
            blocks += [Block(before, maps, stride), Block(maps, maps, 1)]
            before = maps
        self.features = nn.Sequential(
            *convolution(channels, 64, 7, 2, 3),
            nn.MaxPool2d(3, 2, 1),
            *blocks,
            nn.AdaptiveAvgPool2d(1),
        )
        self.embedding = nn.Linear(before, feature_dim)
