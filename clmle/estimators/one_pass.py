"""Balanced clusters of more rows than fit into memory: one pass over batches of rows."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from clmle._balance import rank_within, settled_prices, two_best
from clmle._space import Sphere
from clmle.clustering import assign

Rows = Callable[[slice | np.ndarray], torch.Tensor]  # reads rows (m, d) at given positions


@dataclass
class OnePass:
    """Assigns every row once, at the given ``centroids`` (K, d), with sizes within ``bounds``.

    Prices that keep the sizes are those of a ``sample`` (m, d) of the rows. The few clusters that
    are then too large or too small are corrected at the end: rows whose second best cluster is
    nearly as good are read again and assigned together.
    """

    read: Rows
    n: int
    bounds: torch.Tensor  # (2, K) smallest and largest size
    space: Sphere

    def run(
        self, sample: torch.Tensor, centroids: torch.Tensor, batch_size: int
    ) -> tuple[np.ndarray, torch.Tensor, float]:
        """Labels (n,) int32, the centroids (K, d) of all rows, and the sum of squared distances."""
        k, dim = centroids.shape
        prices = settled_prices(sample, centroids, self.bounds.to(sample.dtype) / self.n)
        labels = np.empty(self.n, dtype=np.int32)
        costs = np.empty(self.n, dtype=np.float32)  # of a move to the second best cluster
        sums, squares = torch.zeros(k, dim, dtype=torch.float64), 0.0
        for start in range(0, self.n, batch_size):
            part = slice(start, min(start + batch_size, self.n))
            x = self.read(part)
            own, cost = two_best(x, centroids, prices)
            labels[part], costs[part] = own.numpy(), cost.numpy()
            sums += torch.zeros_like(centroids).index_add_(0, own, x)
            squares += float(self.space.peak(x).double().sum())
        self._correct(labels, costs, centroids, sums, batch_size)
        found = self.space.center(sums)
        inertia = 2 * (squares - float((sums * found).sum()))
        return labels, found.to(centroids.dtype), max(inertia, 0.0)

    def _correct(
        self,
        labels: np.ndarray,
        costs: np.ndarray,
        centroids: torch.Tensor,
        sums: torch.Tensor,
        batch_size: int,
    ) -> None:
        """Assign about ``batch_size`` rows again so that all sizes are allowed.

        Of each cluster these are the rows with the lowest costs, at least as many as have to move.
        """
        k = len(centroids)
        least, most = self.bounds.expand(2, -1)
        counts = torch.from_numpy(np.bincount(labels, minlength=k))
        lacking = (least - counts).clamp(min=0).sum()
        surplus = (counts - most).clamp(min=0)
        if not surplus.any() and not lacking:
            return
        taken = torch.minimum((counts - least).clamp(min=0), surplus + lacking)
        taken = torch.minimum(taken + max(1, (batch_size - int(taken.sum())) // k), counts)
        own = torch.from_numpy(labels).long()
        order = np.argsort(costs, kind="stable")
        rows = np.sort(order[(rank_within(own[order]) < taken[own[order]]).numpy()])
        x, own = self.read(rows), own[rows]
        bounds = torch.stack([least, most]) - (counts - torch.bincount(own, minlength=k))
        new = assign(x, centroids, bounds.clamp(min=0), self.space)
        labels[rows] = new.numpy()
        sums.index_add_(0, new, x.double()).index_add_(0, own, -x.double())
