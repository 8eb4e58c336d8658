"""The network of the playground: it starts as the identity."""

import torch
import torch.nn.functional as F
from torch import nn

LENGTH = 8.0  # norm of every feature vector, so that only its direction matters
WIDTH = 32


class PlaygroundNetwork(nn.Module):
    """Points (B, d) on the unit sphere -> features z (B, d) of norm ``LENGTH``, logits (B, C).

    A residual network with two hidden layers. Its last layer starts at zero, so that before
    training every feature has the direction of its point.
    """

    def __init__(self, dim: int, n_classes: int, width: int = WIDTH) -> None:
        super().__init__()
        last = nn.Linear(width, dim)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.bend = nn.Sequential(
            nn.Linear(dim, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh(), last
        )
        self.head = nn.Linear(dim, n_classes)

    def forward(self, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        features = LENGTH * F.normalize(points + self.bend(points), dim=1)
        return features, self.head(features)
