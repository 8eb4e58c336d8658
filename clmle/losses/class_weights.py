"""Weights of samples by the frequency of their class in the batch (section 3.3)."""

import torch
from torch import Tensor

from clmle.checks import dense
from clmle.errors import InputError
from clmle.losses._checks import INTEGERS


def inverse_frequency_weights(
    classes: Tensor, n_classes: int | None = None, known: Tensor | None = None
) -> Tensor:
    """Inverse class frequencies of a batch, scaled to mean 1: the weights w_i of Eq. 9.

    Every class that occurs has the same total weight.

    Parameters
    ----------
    classes : (..., B) integer tensor
        Class of each sample; leading dimensions are independent batches.
    n_classes : int, optional
        Number of classes C, where all of ``classes`` are known to lie in [0, C): nothing is then
        checked, and a GPU need not be waited for.
    known : (..., B) bool tensor, optional
        Samples that count; all by default. The weights of the others have no meaning.

    Returns
    -------
    (..., B) float32 tensor

    References
    ----------
    Section 3.3 of the CLMLE paper.

    Examples
    --------
    >>> inverse_frequency_weights(torch.tensor([0, 0, 0, 1]))
    tensor([0.6667, 0.6667, 0.6667, 2.0000])
    """
    if n_classes is None:
        dense(classes, "classes")
        wrong_type = classes.dim() < 1 or classes.dtype not in INTEGERS
        if wrong_type or (classes.numel() and classes.min() < 0):
            raise InputError(
                f"classes must be whole numbers (B,) from 0, but are {tuple(classes.shape)} of "
                f"{classes.dtype}."
            )
        # The largest number may be any: it is no number of classes to count up to.
        kinds, classes = torch.unique(classes, return_inverse=True)
        n_classes = len(kinds)
    classes = classes.long()
    counted = torch.ones_like(classes) if known is None else known.long()
    counts = classes.new_zeros(*classes.shape[:-1], n_classes).scatter_add_(-1, classes, counted)
    n_present = (counts > 0).sum(dim=-1, keepdim=True)
    of_class = counts.gather(-1, classes)
    total = counts.sum(dim=-1, keepdim=True)
    weights: Tensor = total / (n_present * of_class).clamp(min=1).float()
    return weights
