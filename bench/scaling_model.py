"""Constants of time and memory fitted to small sets, and larger sets that they must foretell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from math import ceil, log2
from typing import Any

import numpy as np
from scipy.optimize import nnls

from bench import scaling_measured as measured
from bench.scaling_measured import CLUSTER, Counted
from clmle.clustering import FLAT_CLUSTERS, GROUP_CLUSTERS

Point = tuple[int, ...]
# Small sets are larger than the cache of a processor: what fits there has other constants.
FLAT = [(n, k) for n in (2_000, 8_000, 24_000) for k in (4, 12, 36)]
FLAT_LARGE = [(60_000, 24)]
MANY = [(10_000, 50), (20_000, 100), (40_000, 200), (80_000, 400)]
MANY_LARGE = [(120_000, 600), (300_000, 1_500)]
ALONE = [(c, m) for c in (10_000, 20_000, 40_000) for m in (1, 8)]
ALONE_LARGE = [(100_000, 5), (5_000, 100)]
CLUSTERS = [(20_000,), (40_000,), (80_000,)]
CLUSTERS_LARGE = [(300_000,)]
DRAWN = [(10_000,), (100_000,), (400_000,)]
DRAWN_LARGE = [(3_000_000,)]
DIVIDED = [(40_000,), (80_000,)]
DIVIDED_LARGE = [(200_000,)]


class Model:
    """Constants times counts: of images n, classes C, clusters K."""

    def __init__(self, quick: bool = False) -> None:
        self.rows: list[dict[str, Any]] = []
        m = measured
        fit = partial(self._fit, part=10 if quick else 1)
        self.gathered = fit(
            "classes of one cluster each, s", "C, n", m.one_cluster_each, ALONE, ALONE_LARGE
        )
        self.flat = fit(
            "one class found, up to 40 clusters, s", "1, n, nK, K^2", m.found, FLAT, FLAT_LARGE
        )
        # Fewer images would have fewer than 40 clusters, where nothing is the same.
        many, many_large = (MANY[:2], MANY[2:3]) if quick else (MANY, MANY_LARGE)
        self.many = {}
        for rounds in (15, 3):
            self.many[rounds] = self._fit(
                f"one class from centroids, {rounds} rounds, more clusters, s",
                "n, nK", partial(m.renewed_many, rounds), many, many_large,
            )  # fmt: skip
        self.flat_renewed = fit(
            "one class renewed, 3 rounds, up to 40 clusters, s",
            "1, n, nK", partial(m.renewed, 3), FLAT, FLAT_LARGE,
        )  # fmt: skip
        for n, k in many_large:
            self._compare(
                "one class found, more clusters, s", "from the four above",
                (n, k), self.found(n, k), m.found(n, k)[1],
            )  # fmt: skip
        among = partial(fit, small=CLUSTERS, large=CLUSTERS_LARGE)
        self.neighbors = among("batch of one neighborhood, ms", "1, K", m.neighborhood)
        self.spread = fit("spread batch, ms", "1, log2 K", m.spread, DRAWN, DRAWN_LARGE)
        self.among = among("Eq. 9 among all clusters, ms", "1, K", m.among_all)
        self.search = among("search among all clusters, a batch, ms", "1, K", m.searched)
        self.passing = fit(
            "memory beside the index while classes of one cluster are gathered, MB",
            "C, n, numbers at once", m.gathered_memory, ALONE, [(50_000, 10)],
        )  # fmt: skip
        # Fewer would not show in a process's peak.
        self.dividing = self._fit(
            "memory while one class is divided, MB", "n", m.divided_memory,
            DIVIDED[:1] if quick else DIVIDED, DIVIDED[1:] if quick else DIVIDED_LARGE,
        )  # fmt: skip

    def _fit(
        self,
        name: str,
        grows: str,
        measure: Callable[..., Counted],
        small: Sequence[Point],
        large: Sequence[Point],
        part: int = 1,
    ) -> np.ndarray:
        """Constants (none negative) of least relative errors.

        ``part``: by what the first number of every point is divided, where it has to be quick.
        """
        small, large = ([(p[0] // part, *p[1:]) for p in points] for points in (small, large))
        counts, values = zip(*(measure(*point) for point in small), strict=True)
        scaled = np.array(counts, dtype=float) / np.array(values)[:, None]
        constants, _ = nnls(scaled, np.ones(len(values)))
        for point in large:
            there, value = measure(*point)
            constant = ", ".join(f"{c:.3g}" for c in constants)
            self._compare(
                name, f"{grows}: {constant}", point, float(np.dot(constants, there)), value
            )
        return constants

    def _compare(self, what: str, grows: str, at: Point, foretold: float, value: float) -> None:
        row = {
            "what": what,
            "grows with: constants": grows,
            "at": " x ".join(f"{p:,}" for p in at),
            "foretold": f"{foretold:.3g}",
            "measured": f"{value:.3g}",
            "foretold / measured": f"{foretold / value:.2f}",
        }
        self.rows.append(row)
        print(*row.values(), sep=" | ", flush=True)

    def found(self, n: float, k: int) -> float:
        """Seconds until ``n`` images of a class are in ``k`` clusters for the first time.

        As the clustering goes about it: groups, clusters within each, then all together.
        """
        if k == 1:
            return float(np.dot(self.gathered, (1, n)))
        if k <= FLAT_CLUSTERS:
            return float(np.dot(self.flat, (1, n, n * k, k * k)))
        groups = min(ceil(k / GROUP_CLUSTERS), FLAT_CLUSTERS)
        within = groups * self.found(n / groups, ceil(k / groups))
        together = float(np.dot(self.many[15], (n, n * k)))
        return float(np.dot(self.flat, (1, n, n * groups, groups**2))) + within + together

    def renewed(self, n: float, k: int) -> float:
        """Seconds to bring the clusters of a class up to date."""
        if k == 1:
            return float(np.dot(self.gathered, (1, n)))
        if k <= FLAT_CLUSTERS:
            return float(np.dot(self.flat_renewed, (1, n, n * k)))
        return float(np.dot(self.many[3], (n, n * k)))

    def batch(self, constants: np.ndarray, k: int) -> float:
        """Seconds of a batch among ``k`` clusters."""
        grows = log2(k) if constants is self.spread else k
        return float(np.dot(constants, (1, grows))) / 1000

    def beside(self, n: int, c: int) -> float:
        """Bytes that a refresh needs for itself, for a while."""
        if clusters(n, c) == c:
            return float(np.dot(self.passing, measured.gathered_counts(c, n / c))) * 2**20
        return float(np.dot(self.dividing, (n / c,))) * 2**20


def clusters(n: int, c: int) -> int:
    """Of ``c`` classes of n / c images each."""
    return c * max(1, n // c // CLUSTER)
