"""The network of the live sphere: it starts as the identity and bends the sphere."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

LENGTH = 8.0  # of every feature, so that a place on the sphere alone decides
WIDTH = 32


class PlaygroundNetwork(nn.Module):
    """Points (B, d) of a sphere -> features z (B, d) of length ``LENGTH``, logits (B, C).

    A residual network with two hidden layers, whose last layer starts at zero: before training
    every feature lies where its point does.
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
