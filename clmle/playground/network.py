"""The network of the playground: a small multilayer perceptron with random initial weights."""

import torch
import torch.nn.functional as F
from torch import nn

LENGTH = 8.0  # norm of every feature vector, so that only its direction matters
WIDTH = 64
INPUT_SCALE = 3.0  # of the points: random features of points of norm 1 are nearly linear


class PlaygroundNetwork(nn.Module):
    """Points (B, n_inputs) -> features z (B, dim) of norm ``LENGTH``, logits (B, C)."""

    def __init__(self, n_inputs: int, dim: int, n_classes: int, width: int = WIDTH) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Linear(n_inputs, width),
            nn.Tanh(),
            nn.Linear(width, width),
            nn.Tanh(),
            nn.Linear(width, dim),
        )
        self.head = nn.Linear(dim, n_classes)

    def forward(self, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        features = LENGTH * F.normalize(self.body(INPUT_SCALE * points), dim=1)
        return features, self.head(features)
