"""Probabilistic contrastive loss: the expected similarity to von Mises-Fisher distributions.

A class is a von Mises-Fisher distribution on the unit sphere, estimated from the mean of its
features. The expectation of exp(z.x / t) over a class has a closed form, so that a sample is
contrasted with infinitely many samples of each class.
"""

import math

import torch

LEAST_ORDER = 16  # of a Bessel function that is computed by its expansion for large orders
EXTRA = 12  # orders above it from which ratios are followed down
MAX_KAPPA = 1e5


def concentration(means: torch.Tensor) -> torch.Tensor:
    """Estimate kappa (C,) of von Mises-Fisher distributions from mean unit vectors (C, d).

    kappa = d R / (1 - R^2) with the length R of the mean, at most 1e5 (Banerjee 2005 without the
    term in R^3, as in ProCo); 0, the uniform distribution, for a zero mean.
    """
    length = means.norm(dim=1).clamp(max=1.0)
    kappa: torch.Tensor = means.shape[1] * length / (1 - length**2).clamp(min=1e-9)
    return kappa.clamp(max=MAX_KAPPA)


def proco_logits(
    features: torch.Tensor,
    directions: torch.Tensor,
    kappa: torch.Tensor,
    temperature: float = 0.1,
) -> torch.Tensor:
    """Log of the expectation of exp(z.x / t) over the x of every class.

    For x of a von Mises-Fisher distribution with direction mu and concentration kappa it is
    log C(kappa) - log C(|kappa mu + z / t|), where C is the normalizing constant of the
    distribution, kappa^v / ((2 pi)^(d/2) I_v(kappa)) with v = d/2 - 1.

    Parameters
    ----------
    features : (B, d) float tensor
        Features z of unit length, d of at least 2.
    directions : (C, d) float tensor
        Mean directions mu of unit length.
    kappa : (C,) float tensor
        Concentrations, 0 or more.
    temperature : float, default 0.1
        t, above 0.

    Returns
    -------
    (B, C) float tensor
        Differentiable in ``features``. With the log prior of each class added, their
        cross-entropy is the loss.

    References
    ----------
    C. Du, Y. Wang, S. Song, G. Huang, "Probabilistic Contrastive Learning for Long-Tailed Visual
    Recognition", TPAMI 2024. Expansion of I_v for large orders: DLMF 10.41.3.

    Examples
    --------
    >>> mu = torch.tensor([[1.0, 0.0, 0.0]])
    >>> [round(float(proco_logits(z, mu, torch.tensor([50.0]), 1.0)), 3) for z in (mu, -mu)]
    [0.98, -0.98]
    """
    # The difference of the squares is exact where kappa is much larger than 1 / t.
    rise = (2 * kappa * (features @ directions.T) + 1 / temperature) / temperature
    return _log_bessel_ratio(kappa**2, rise, features.shape[1] / 2 - 1)


def _log_bessel_ratio(before: torch.Tensor, rise: torch.Tensor, order: float) -> torch.Tensor:
    """Log of (I_v(y) / y^v) / (I_v(x) / x^v) for x^2 ``before`` and y^2 = x^2 + ``rise``."""
    shift = max(0, math.ceil(LEAST_ORDER - order))
    n = order + shift
    after = (before + rise).clamp(min=0)
    a, b = torch.sqrt(n**2 + after), torch.sqrt(n**2 + before)
    gap = rise / (a + b)  # a - b without cancellation
    ratio = gap - n * torch.log1p(gap / (n + b)) - torch.log1p(gap / b) / 2
    ratio = ratio + torch.log(_correction(n, a) / _correction(n, b))
    if shift:  # I_k(x) / x^k = (I_{k+1}(x) / x^{k+1}) / q_k for the lower orders
        ratio = ratio - _log_ratios(after, order, shift) + _log_ratios(before, order, shift)
    return ratio


def _correction(n: float, root: torch.Tensor) -> torch.Tensor:
    """Sum of u_k(p) / n^k up to k = 2, p = n / ``root``; the rest is below 1e-5."""
    p = n / root
    s = p**2
    u1 = p * (3 - 5 * s) / 24
    u2 = s * (81 - 462 * s + 385 * s**2) / 1152
    return 1 + u1 / n + u2 / n**2


def _log_ratios(square: torch.Tensor, order: float, shift: int) -> torch.Tensor:
    """Sum of log q_k over ``shift`` orders k from ``order``; q_k = I_{k+1}(x) / (x I_k(x))."""
    k = order + shift + EXTRA
    q = 1 / (k + 0.5 + torch.sqrt((k + 1.5) ** 2 + square))  # Amos' bound
    total = torch.zeros_like(square)
    for below in range(shift + EXTRA - 1, -1, -1):
        k = order + below
        q = 1 / (2 * (k + 1) + square * q)
        if below < shift:
            total = total + torch.log(q)
    return total
