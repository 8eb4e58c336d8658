"""The network for tables of features: standardized features to an embedding."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

HIDDEN = 256  # units of the hidden layer of "mlp"
SCALE = 16.0  # of the cosines of "cosine"


def dense_layers(channels: int, hidden: Sequence[int], feature_dim: int) -> nn.Sequential:
    """Linear layers with ``hidden`` units in between, each followed by ReLU but for the last."""
    layers: list[nn.Module] = []
    for units in hidden:
        layers += [nn.Linear(channels, units), nn.ReLU(inplace=True)]
        channels = units
    return nn.Sequential(*layers, nn.Linear(channels, feature_dim))


class FeatureNetwork(nn.Module):
    """Features (B, channels, 1, 1), standardized, to (B, feature_dim): linear, or one hidden layer.

    Pretrained networks differ in scale by a factor of 100: standardized, one learning rate fits.
    """

    mean: Tensor
    scale: Tensor
    noise: float = 0.0  # standard deviation of the noise added to standardized training features

    def __init__(
        self, channels: int, image_size: tuple[int, int], feature_dim: int = 64, hidden: int = 0
    ) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("scale", torch.ones(channels))
        self.layers = dense_layers(channels, (hidden,) if hidden else (), feature_dim)

    def standardize(self, features: np.ndarray) -> None:
        """Take mean and deviation of ``features`` (n, channels); constant ones become 0."""
        values = np.array(features, dtype=np.float64)
        mean = values.mean(axis=0)
        largest = np.maximum(values.max(axis=0, initial=1e-30), -values.min(axis=0, initial=-1e-30))
        values -= mean
        deviation = np.sqrt(np.einsum("ij,ij->j", values, values) / max(1, len(values)))
        varies = deviation > 1e-6 * largest
        self.mean.copy_(torch.from_numpy(mean))
        self.scale.copy_(torch.from_numpy(np.where(varies, 1 / np.where(varies, deviation, 1), 0)))

    def forward(self, features: Tensor) -> Tensor:
        standardized = (features.flatten(1) - self.mean) * self.scale
        if self.training and self.noise:
            standardized = standardized + self.noise * torch.randn_like(standardized)
        z: Tensor = self.layers(standardized)
        return z
