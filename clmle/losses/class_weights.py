"""Weights of samples by how rare their class is in the batch (section 3.3)."""

from __future__ import annotations

import torch

from clmle.checks import dense
from clmle.errors import InputError


def inverse_frequency_weights(classes: torch.Tensor) -> torch.Tensor:
    """w_i of Eq. 9's cost-sensitive form: inverse class frequency in the batch, mean 1.

    Parameters
    ----------
    classes : (B,) integer tensor

    Returns
    -------
    (B,) float32 tensor; every class present has the same total weight.

    Raises
    ------
    InputError
        Anything but whole numbers from 0, in one row.

    Examples
    --------
    >>> inverse_frequency_weights(torch.tensor([0, 0, 0, 1]))
    tensor([0.6667, 0.6667, 0.6667, 2.0000])
    """
    dense(classes, "classes")
    kinds = (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8)
    if classes.dim() != 1 or classes.dtype not in kinds or (len(classes) and classes.min() < 0):
        raise InputError(
            f"classes must be whole numbers (B,) from 0, but are {tuple(classes.shape)} of "
            f"{classes.dtype}."
        )
    # Not by counting up to the largest number: it may be any.
    _, place, counts = torch.unique(classes, return_inverse=True, return_counts=True)
    weights: torch.Tensor = len(classes) / (len(counts) * counts[place]).float()
    return weights
