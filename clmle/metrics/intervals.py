"""95 % intervals of shares: Wilson's for independent trials, a bootstrap over whole people.

Pairs that share a person are right or wrong together, so that counting them as independent makes
an interval too narrow; redrawing whole people does not.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from clmle.checks import seed_number, whole

Z = 1.959963984540054  # 97.5 % point of the normal distribution


def wilson(hits: int, n: int) -> list[float] | None:
    """Wilson's 95 % interval of ``hits`` out of ``n`` independent trials; None without a trial.

    E. B. Wilson, *Probable inference* (1927).

    >>> [round(end, 4) for end in wilson(10, 10)]
    [0.7225, 1.0]
    """
    if n == 0:
        return None
    share, z2 = hits / n, Z * Z
    center = share + z2 / (2 * n)
    half = Z * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    low, high = ((center + sign * half) / (1 + z2 / n) for sign in (-1, 1))
    return [0.0 if hits == 0 else low, 1.0 if hits == n else high]


def redraws(n: int, n_bootstrap: int, seed: int) -> Iterator[np.ndarray]:
    """How often each of ``n`` people is drawn, (at most 64, n) at a time, ``n_bootstrap`` in all.

    A redraw takes n people with replacement.
    """
    whole(n_bootstrap, "n_bootstrap", 1)
    rng = np.random.default_rng(seed_number(seed))
    for start in range(0, n_bootstrap, 64):
        size = min(64, n_bootstrap - start)
        yield rng.multinomial(n, np.full(n, 1 / n), size=size).astype(np.float64)


def fraction_over_identities(
    hits: np.ndarray, people: np.ndarray, *, n_bootstrap: int = 1000, seed: int = 0
) -> list[float] | None:
    """95 % interval of the mean of ``hits`` (n,) when whole ``people`` (n,) are redrawn.

    None where there are fewer than two people, of whom nothing can be redrawn.
    """
    names, index = np.unique(people, return_inverse=True)
    if len(names) < 2:
        return None
    trials = np.bincount(index).astype(np.float64)
    right = np.bincount(index, weights=np.asarray(hits, dtype=np.float64))
    shares = [(d @ right) / (d @ trials) for d in redraws(len(names), n_bootstrap, seed)]
    return quantiles(np.concatenate(shares))


def quantiles(values: np.ndarray) -> list[float]:
    """The middle 95 % of bootstrap values."""
    return [float(v) for v in np.quantile(values, [0.025, 0.975])]
