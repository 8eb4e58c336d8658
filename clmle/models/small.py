"""A small CNN for images of about 40 x 40 pixels; a CPU trains it in minutes."""

from torch import nn

from clmle.models._backbone import Backbone, convolution


class SmallCNN(Backbone):
    """Four 3 x 3 convolutions with batch normalization, pooled to one feature vector.

    Images smaller than 16 pixels are pooled fewer times.
    """

    def __init__(self, channels: int, image_size: tuple[int, int], feature_dim: int = 64) -> None:
        super().__init__()
        widths = (24, 48, 72, 96)
        layers: list[nn.Module] = []
        size = min(image_size)
        for i, width in enumerate(widths):
            layers += convolution(channels, width, 3, 1, 1)
            if i < 3 and size >= 8:
                layers.append(nn.MaxPool2d(2))
                size //= 2
            channels = width
        self.features = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(2 if size >= 2 else 1))
        positions = 4 if size >= 2 else 1
        self.embedding = nn.Linear(channels * positions, feature_dim)
