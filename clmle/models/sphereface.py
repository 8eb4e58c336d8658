"""The residual networks of SphereFace and CosFace, with 20 or 64 layers."""

from itertools import pairwise

from torch import Tensor, nn

from clmle.errors import InputError
from clmle.models._backbone import Backbone

MAPS = (64, 128, 256, 512)  # of the four stages, each half as high and wide as the one before
BLOCKS = {20: (1, 2, 4, 1), 64: (3, 8, 16, 3)}  # residual blocks of every stage
SMALLEST = 17  # pixels; smaller images shrink to a single position


class Unit(nn.Module):
    """Two 3 x 3 convolutions with PReLU and a shortcut, without normalization."""

    def __init__(self, maps: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(*convolution(maps, maps, 1), *convolution(maps, maps, 1))
        for layer in self.layers:
            if isinstance(layer, nn.Conv2d):  # initially a unit is nearly its shortcut
                nn.init.normal_(layer.weight, std=0.01)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = x + self.layers(x)
        return found


class SphereFaceCNN(Backbone):
    """Four stages of a strided convolution and residual units, then one linear layer.

    ``depth`` counts the convolutions: 20 (23 million weights, 1.75 billion multiplications for an
    image of 112 x 96) or 64, as in the paper (48 million, 6.1 billion).

    Liu and others: SphereFace (CVPR 2017), Table 2; Wang and others: CosFace (CVPR 2018), section
    4.1.
    """

    def __init__(
        self, channels: int, image_size: tuple[int, int], feature_dim: int = 512, depth: int = 64
    ) -> None:
        super().__init__()
        height, width = image_size
        if min(height, width) < SMALLEST:
            raise InputError(
                f"sphere{depth} needs images of {SMALLEST} x {SMALLEST} or more, not {height} x "
                f"{width}; give a larger image_size."
            )
        layers: list[nn.Module] = []
        for (before, maps), count in zip(pairwise((channels, *MAPS)), BLOCKS[depth], strict=True):
            layers += convolution(before, maps, 2)
            layers += [Unit(maps) for _ in range(count)]
        self.features = nn.Sequential(*layers)
        for _ in MAPS:  # a stride of 2 rounds up
            height, width = (height + 1) // 2, (width + 1) // 2
        self.embedding = nn.Linear(MAPS[-1] * height * width, feature_dim)
        nn.init.xavier_uniform_(self.embedding.weight)
        self.embedding.bias.data.zero_()


def convolution(channels: int, maps: int, stride: int) -> list[nn.Module]:
    """A 3 x 3 convolution and a PReLU with one slope per map."""
    layer = nn.Conv2d(channels, maps, 3, stride, 1)
    nn.init.xavier_uniform_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return [layer, nn.PReLU(maps)]
