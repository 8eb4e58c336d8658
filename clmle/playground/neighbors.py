"""Nearest neighbors on the sphere, and the impostors among them (footnote 2 of the paper)."""

from __future__ import annotations

import numpy as np
import torch

NEIGHBORS = 5


def nearest_points(features: np.ndarray, k: int = NEIGHBORS) -> np.ndarray:
    """The ``k`` nearest other rows of every row, (n, k), nearest first, by cosine of unit rows."""
    unit = torch.from_numpy(features)
    similarity = (unit @ unit.T).fill_diagonal_(-torch.inf)
    return similarity.topk(k, dim=1).indices.numpy()


def impostor_share(neighbors: np.ndarray, labels: np.ndarray, label: int = 1) -> float:
    """Mean share of another class among the neighbors (n, k) of points of class ``label``."""
    return float((labels[neighbors[labels == label]] != label).mean())
