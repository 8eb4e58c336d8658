"""95 % intervals of proportions: Wilson's, of their mean, and the bootstrap over identities.

Pairs that share an identity are correct or wrong together. An interval that counts them as
independent is too narrow; the bootstrap over whole identities is not.
"""

import math
from collections.abc import Iterator

import numpy as np

from clmle.checks import seed_number, whole

Z = 1.959963984540054  # 97.5 % point of the normal distribution


def wilson(hits: int, n: int) -> list[float] | None:
    """Wilson's 95 % interval of a proportion.

    Parameters
    ----------
    hits : int
        Number of successes.
    n : int
        Number of independent trials.

    Returns
    -------
    [low, high], or None if n is 0

    References
    ----------
    E. B. Wilson, *Probable inference, the law of succession, and statistical inference*, Journal of
    the American Statistical Association 22 (1927).

    Examples
    --------
    >>> [round(end, 4) for end in wilson(10, 10)]
    [0.7225, 1.0]
    """
    if n == 0:
        return None
    p, z2 = hits / n, Z * Z
    center = p + z2 / (2 * n)
    half = Z * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    low, high = ((center + sign * half) / (1 + z2 / n) for sign in (-1, 1))
    return [0.0 if hits == 0 else low, 1.0 if hits == n else high]


def mean_of_proportions(hits: np.ndarray, n: np.ndarray) -> list[float]:
    """95 % interval of the mean of independent proportions ``hits / n``, both (C,), where n > 0.

    It combines the distances from each proportion to the ends of its Wilson interval (G. Zou and
    A. Donner, *Construction of confidence limits about effect measures*, Statistics in Medicine 27,
    2008). It stays in [0, 1] and has a width even where every trial is a success.
    """
    pairs = [(int(h), int(k)) for h, k in zip(hits, n, strict=True) if k]
    p = np.array([h / k for h, k in pairs])
    low, high = np.array([wilson(h, k) for h, k in pairs]).T
    below, above = (math.sqrt(((end - p) ** 2).sum()) / len(p) for end in (low, high))
    return [float(p.mean() - below), float(p.mean() + above)]


def bootstrap_counts(n: int, n_bootstrap: int, seed: int) -> Iterator[np.ndarray]:
    """Counts (at most 64, n) of n items in bootstrap samples, ``n_bootstrap`` samples in all."""
    whole(n_bootstrap, "n_bootstrap", 1)
    rng = np.random.default_rng(seed_number(seed))
    for start in range(0, n_bootstrap, 64):
        size = min(64, n_bootstrap - start)
        yield rng.multinomial(n, np.full(n, 1 / n), size=size).astype(np.float64)


def fraction_over_identities(
    hits: np.ndarray, identities: np.ndarray, *, n_bootstrap: int = 1000, seed: int = 0
) -> list[float] | None:
    """95 % interval of the mean of ``hits`` (n,) by a bootstrap over whole ``identities`` (n,)."""
    names, index = np.unique(identities, return_inverse=True)
    if len(names) < 2:
        return None
    trials = np.bincount(index).astype(np.float64)
    right = np.bincount(index, weights=np.asarray(hits, dtype=np.float64))
    fractions = [
        (d @ right) / (d @ trials) for d in bootstrap_counts(len(names), n_bootstrap, seed)
    ]
    return interval(np.concatenate(fractions))


def proportion(
    hits: np.ndarray, identities: np.ndarray, *, name: str, n_bootstrap: int, seed: int
) -> dict[str, object]:
    """The mean of ``hits`` (n,) as ``name``, with both intervals and n."""
    return {
        name: float(hits.mean()),
        "interval": wilson(int(hits.sum()), len(hits)),
        "identity_interval": fraction_over_identities(
            hits, identities, n_bootstrap=n_bootstrap, seed=seed
        ),
        "n": len(hits),
    }


def interval(values: np.ndarray) -> list[float]:
    """The middle 95 % of bootstrap values."""
    return [float(v) for v in np.quantile(values, [0.025, 0.975])]
