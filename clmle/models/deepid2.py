"""The small network of the paper for attributes: DeepID2 on images of 55 x 47.

Four convolutions, the last without weight sharing; the feature is computed from the last two
together, that is from two scales. Batch normalization is an addition: without it training diverges
at a learning rate of 0.05, and without it after the last two layers the losses of 40 heads make the
features grow within ten steps until those of all images have the same direction.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from clmle.errors import InputError
from clmle.models._backbone import convolution


class Unshared(nn.Module):
    """A convolution with different weights at every position (locally connected)."""

    def __init__(self, channels: int, maps: int, size: tuple[int, int], kernel: int) -> None:
        super().__init__()
        self.kernel = kernel
        self.out = (size[0] - kernel + 1, size[1] - kernel + 1)
        places, inputs = self.out[0] * self.out[1], channels * kernel * kernel
        # As in nn.Conv2d: uniform, keeping the scale of the input.
        reach = inputs**-0.5
        self.weight = nn.Parameter(torch.empty(places, inputs, maps).uniform_(-reach, reach))
        self.bias = nn.Parameter(torch.empty(places, 1, maps).uniform_(-reach, reach))

    def forward(self, x: Tensor) -> Tensor:
        patches = F.unfold(x, self.kernel).permute(2, 0, 1)  # (places, B, inputs)
        found = torch.baddbmm(self.bias.to(patches.dtype), patches, self.weight.to(patches.dtype))
        maps: Tensor = found.permute(1, 2, 0).unflatten(2, self.out)
        return maps


class DeepID2(nn.Module):
    """20, 40, 60 and 80 maps; 160 units from the last two layers; then the feature.

    Images have 33 x 33 pixels or more; about 8 million multiplications for an image of 55 x 47.

    Sun, Chen, Wang, Tang: Deep Learning Face Representation by Joint Identification-Verification
    (NIPS 2014), its Fig. 1; section 5.1 of the CLMLE paper.
    """

    def __init__(self, channels: int, image_size: tuple[int, int], feature_dim: int = 64) -> None:
        super().__init__()
        if min(image_size) < 33:
            raise InputError(
                f"The backbone deepid2 needs images of 33 x 33 pixels or more, not "
                f"{image_size[0]} x {image_size[1]}; raise image_size or take another backbone."
            )
        layers: list[nn.Module] = []
        height, width = image_size
        for maps, kernel in ((20, 4), (40, 3), (60, 3)):
            layers += [*convolution(channels, maps, kernel), nn.MaxPool2d(2)]
            channels = maps
            height, width = ((side - kernel + 1) // 2 for side in (height, width))
        self.features = nn.Sequential(*layers)
        self.unshared = Unshared(channels, 80, (height, width), 2)
        self.normal = nn.BatchNorm2d(80)
        both = channels * height * width + 80 * self.unshared.out[0] * self.unshared.out[1]
        self.joint = nn.Sequential(nn.Linear(both, 160, bias=False), nn.BatchNorm1d(160))
        self.embedding = nn.Sequential(
            nn.Linear(160, feature_dim, bias=False), nn.BatchNorm1d(feature_dim)
        )

    def forward(self, images: Tensor) -> Tensor:
        third = self.features(images)
        fourth = F.relu(self.normal(self.unshared(third)))
        joint = self.joint(torch.cat([third.flatten(1), fourth.flatten(1)], dim=1))
        z: Tensor = self.embedding(F.relu(joint))
        return z
