"""Weights of samples by how rare their class is in the batch (section 3.3)."""

from __future__ import annotations

import torch


def inverse_frequency_weights(classes: torch.Tensor) -> torch.Tensor:
    """w_i of Eq. 9's cost-sensitive form: inverse class frequency in the batch, mean 1.

    Parameters
    ----------
    classes : (B,) integer tensor

    Returns
    -------
    (B,) float32 tensor; every class present has the same total weight.

    Examples
    --------
    >>> inverse_frequency_weights(torch.tensor([0, 0, 0, 1]))
    tensor([0.6667, 0.6667, 0.6667, 2.0000])
    """
    counts = torch.bincount(classes)
    present = (counts > 0).sum()
    return len(classes) / (present * counts[classes]).float()
