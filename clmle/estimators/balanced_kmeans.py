"""Balanced k-means as scikit-learn estimators: on the sphere (Eqs. 6 and 7) and in the plane."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    ClusterMixin,
    TransformerMixin,
)
from sklearn.metrics.pairwise import euclidean_distances
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from clmle._balance import best_priced
from clmle._space import EUCLIDEAN, SPHERE, Sphere
from clmle.checks import whole
from clmle.clustering import assign, divide, unit_means, warm_start
from clmle.errors import InputError, quoted
from clmle.estimators.one_pass import OnePass
from clmle.threads import fitting_threads

FLOATS = [np.float64, np.float32]


# scikit-learn has no types.
class BalancedKMeans(
    ClassNamePrefixFeaturesOutMixin,  # type: ignore[misc]
    TransformerMixin,  # type: ignore[misc]
    ClusterMixin,  # type: ignore[misc]
    BaseEstimator,  # type: ignore[misc]
):
    """k-means with bounds on the sizes of clusters; by default sizes differ by at most one.

    It takes the place of ``k_means_constrained.KMeansConstrained`` and has its parameters. Instead
    of a minimum-cost flow in every iteration it adjusts a price per cluster, so that time grows
    almost linearly with the number of samples; sizes are exact, the objective is nearly optimal.

    Parameters
    ----------
    n_clusters : int, default=8
        K.
    size_min, size_max : int, default=None
        Smallest and largest number of samples of a cluster. None is no bound, but without any
        bound clusters have equal sizes (scikit-learn's ``KMeans`` has no bounds).
    init : "k-means++" or (K, d) array, default="k-means++"
        Starting centroids; "k-means++" is followed by soft balanced k-means on a sample.
    n_init : int, default=1
        Runs from different starting centroids, of which the one with the smallest inertia is kept.
    max_iter : int, default=15
        Iterations of a run; it takes all of them.
    tol : float, default=0
        Accepted for compatibility with ``KMeansConstrained``; no effect.
    verbose : bool, default=False
        As ``tol``.
    random_state : int, RandomState instance or None, default=None
        Seed of the starting centroids.
    copy_x : bool, default=True
        As ``tol``; ``X`` is never changed.
    n_jobs : int, default=None
        As ``tol``; the number of threads is that of PyTorch (``torch.set_num_threads``).
    batch_size : int, default=None
        Rows in memory at a time. Where ``X`` has more rows, centroids are fitted on a random sample
        of so many rows, then one pass over ``X``, which may be a memory map, assigns all rows and
        computes the centroids of all. None takes all rows at once.

    Attributes
    ----------
    cluster_centers_ : (K, d) array
        Means of the clusters.
    labels_ : (n,) int32 array
        Cluster of each sample. Sizes are within the bounds.
    inertia_ : float
        Sum of the squared distances of samples to the centers of their clusters.
    n_iter_ : int
    n_features_in_ : int

    References
    ----------
    P. S. Bradley, K. P. Bennett, A. Demiriz, "Constrained k-means clustering", Microsoft Research
    2000. M. Cuturi, "Sinkhorn Distances", NIPS 2013. L. Chizat et al., "Scaling algorithms for
    unbalanced optimal transport problems", Mathematics of Computation 87, 2018, for bounds.

    Examples
    --------
    >>> X = np.array([[1, 2], [1, 4], [1, 0], [4, 2], [4, 4], [4, 0]])
    >>> model = BalancedKMeans(n_clusters=2, size_min=2, size_max=5, random_state=0).fit(X)
    >>> sorted(model.cluster_centers_.round(6).tolist())
    [[1.0, 2.0], [4.0, 2.0]]
    >>> np.bincount(model.labels_).tolist()
    [3, 3]
    """

    _space: Sphere = EUCLIDEAN

    def __init__(
        self,
        n_clusters: int = 8,
        size_min: int | None = None,
        size_max: int | None = None,
        init: Any = "k-means++",
        n_init: int = 1,
        max_iter: int = 15,
        tol: float = 0.0,
        verbose: bool = False,
        random_state: Any = None,
        copy_x: bool = True,
        n_jobs: int | None = None,
        batch_size: int | None = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.size_min = size_min
        self.size_max = size_max
        self.init = init
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.verbose = verbose
        self.random_state = random_state
        self.copy_x = copy_x
        self.n_jobs = n_jobs
        self.batch_size = batch_size

    def fit(self, X: Any, y: Any = None) -> BalancedKMeans:
        """Cluster the rows of ``X`` (n, d); ``y`` is ignored."""
        limit = None if self.batch_size is None else whole(self.batch_size, "batch_size", 1)
        # Of a memory map, batches are checked one by one.
        X = validate_data(self, X, dtype=FLOATS, ensure_all_finite=limit is None or len(X) <= limit)
        n, k = len(X), whole(self.n_clusters, "n_clusters", 1)
        for name in ("n_init", "max_iter"):
            whole(getattr(self, name), name, 1)
        bounds = self._bounds(n, k, self.size_min, self.size_max, equal=True)
        rng = check_random_state(self.random_state)
        chosen = X
        if limit is not None and limit < n:
            if limit < k:
                raise InputError(f"batch_size is {limit}, but must be n_clusters ({k}) or more.")
            drawn = np.random.default_rng(rng.randint(2**31 - 1)).choice(
                n, limit, replace=False, shuffle=False
            )
            chosen = _finite(X[np.sort(drawn)])
        self._set_frame(chosen)
        rows, own = self._rows(chosen), bounds
        if len(rows) < n:
            least, most = bounds.expand(2, -1)
            own = torch.stack([least * len(rows) // n, -(-most * len(rows) // n)])
        with torch.no_grad(), fitting_threads(rows.numel() * k):
            found, centroids, inertia = self._best(rows, own, rng)
            labels = found.numpy()
            if len(rows) < n:
                one = OnePass(lambda at: self._rows(_finite(X[at])), n, bounds, self._space)
                labels, centroids, inertia = one.run(rows, centroids, len(rows))
        self._centroids = centroids
        self.cluster_centers_ = self._centers(centroids).astype(X.dtype)
        self.labels_ = np.asarray(labels, dtype=np.int32)
        self.inertia_ = float(inertia * self._spread**2)
        self.n_iter_ = int(self.max_iter)
        return self

    def fit_predict(self, X: Any, y: Any = None) -> np.ndarray:
        """Cluster the rows of ``X`` (n, d) and return ``labels_`` (n,)."""
        return self.fit(X).labels_

    def predict(
        self, X: Any, size_min: int | str | None = "init", size_max: int | str | None = "init"
    ) -> np.ndarray:
        """Return the cluster of each row of ``X`` (n, d), with sizes within bounds.

        Bounds are those of the constructor, other ones, or None for none; without any bound it is
        the cluster of the nearest center.
        """
        X = self._checked(X)
        size_min = self.size_min if size_min == "init" else size_min
        size_max = self.size_max if size_max == "init" else size_max
        if size_min is None and size_max is None:
            step = self.batch_size or 1 << 16
            prices = torch.zeros(len(self._centroids), dtype=self._centroids.dtype)
            parts = (self._rows(X[i : i + step]) for i in range(0, len(X), step))
            found = [best_priced(x.to(prices.dtype), self._centroids, prices) for x in parts]
            return torch.cat(found).numpy().astype(np.int32)
        bounds = self._bounds(len(X), len(self._centroids), size_min, size_max)
        x = self._rows(X).to(self._centroids.dtype)
        with fitting_threads(x.numel() * len(self._centroids)):
            labels = assign(x, self._centroids, bounds, self._space)
        return np.asarray(labels.numpy(), dtype=np.int32)

    def transform(self, X: Any) -> np.ndarray:
        """Return the distances (n, K) of rows ``X`` (n, d) to the centers of clusters."""
        return np.asarray(euclidean_distances(self._checked(X), self.cluster_centers_))

    # --- the space ------------------------------------------------------------------------------

    def _set_frame(self, X: np.ndarray) -> None:
        """Center and scale, so that distances are of order 1 whatever the units."""
        self._mean = X.mean(axis=0, dtype=np.float64)
        largest = np.abs(X - self._mean).max(initial=0.0)
        scaled = (X - self._mean) / (largest or 1.0)
        self._spread = float(largest * np.sqrt(np.square(scaled).sum(axis=1).mean())) or 1.0

    def _rows(self, X: np.ndarray) -> torch.Tensor:
        rows = np.ones((len(X), X.shape[1] + 1), dtype=X.dtype)
        rows[:, :-1] = (X - self._mean) / self._spread
        return torch.from_numpy(rows)

    def _centers(self, centroids: torch.Tensor) -> np.ndarray:
        return np.asarray(centroids[:, :-1].numpy() * self._spread + self._mean)

    @property
    def _n_features_out(self) -> int:
        return len(self.cluster_centers_)

    # --- steps of the fit -----------------------------------------------------------------------

    def _best(
        self, rows: torch.Tensor, bounds: torch.Tensor, rng: np.random.RandomState
    ) -> tuple[torch.Tensor, torch.Tensor, float]:
        """Labels, centroids and inertia of the best of several runs."""
        start, runs = None, self.n_init
        if not isinstance(self.init, str):
            start, runs = self._start(self.init, rows, bounds.shape[-1]), 1
        elif self.init != "k-means++":
            raise InputError(f"init is {quoted(self.init)}, but must be 'k-means++' or an array.")
        found = []
        for _ in range(runs):
            generator = torch.Generator().manual_seed(int(rng.randint(2**31 - 1)))
            given = bounds, self.max_iter, generator, self._space
            if start is None:
                labels = divide(rows, *given)
            else:
                labels = warm_start(rows, bounds, start, *given[1:])
            centroids = unit_means(rows, labels, bounds.shape[-1], self._space)
            similarity = (rows * centroids[labels]).sum(dim=1)
            inertia = 2 * float((self._space.peak(rows) - similarity).clamp(min=0).double().sum())
            found.append((labels, centroids, inertia))
        return min(found, key=lambda one: one[2])

    def _start(self, init: Any, rows: torch.Tensor, k: int) -> torch.Tensor:
        given = np.asarray(init, dtype=np.float64)
        if given.shape != (k, self.n_features_in_) or not np.isfinite(given).all():
            raise InputError(
                f"init must hold one finite center for each of the {k} clusters, shape "
                f"({k}, {self.n_features_in_}), but has shape {given.shape}."
            )
        return self._space.center(self._rows(given)).to(rows.dtype)

    def _bounds(
        self, n: int, k: int, size_min: Any, size_max: Any, equal: bool = False
    ) -> torch.Tensor:
        """Exact sizes of the clusters (K,), or the smallest and the largest ones (2, K)."""
        if k > n and (equal or size_min):
            raise InputError(f"n_samples={n} should be n_clusters={k} or more.")
        if size_min is None and size_max is None and equal:
            sizes = torch.full((k,), n // k, dtype=torch.int64)
            sizes[: n % k] += 1
            return sizes
        least = 0 if size_min is None else whole(size_min, "size_min", 0)
        most = n if size_max is None else whole(size_max, "size_max", 1)
        if not least * k <= n <= most * k or least > most:
            raise InputError(
                f"{n} samples cannot form {k} clusters of size_min {least} to size_max {most}; "
                f"size_min is at most {n // k} here, and size_max at least {-(-n // k)}."
            )
        return torch.tensor([[least], [most]]).expand(2, k)

    def _checked(self, X: Any) -> np.ndarray:
        check_is_fitted(self)
        return np.asarray(validate_data(self, X, reset=False, dtype=FLOATS))


class BalancedSphericalKMeans(BalancedKMeans):
    """Balanced k-means of directions (Eqs. 6 and 7): rows are divided by their length first.

    With default bounds and all rows at once it is :func:`clmle.balanced_spherical_kmeans`.

    Parameters
    ----------
    n_clusters, size_min, size_max, init, n_init, max_iter, tol, verbose, random_state, copy_x, \
n_jobs, batch_size
        As in :class:`BalancedKMeans`.

    Attributes
    ----------
    cluster_centers_ : (K, d) array
        Normalized means of the clusters.
    labels_ : (n,) int32 array
    inertia_ : float
        Sum of the squared distances of unit rows to their centers, 2 (1 - f.mu) each.
    n_iter_ : int
    n_features_in_ : int

    References
    ----------
    Section 3.2 of the CLMLE paper, Eqs. 6 and 7.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(90, 4))
    >>> model = BalancedSphericalKMeans(n_clusters=3, random_state=0).fit(X)
    >>> np.bincount(model.labels_).tolist(), model.transform(X).shape
    ([30, 30, 30], (90, 3))
    """

    _space = SPHERE

    def transform(self, X: Any) -> np.ndarray:
        """Return the distances (n, K), from 0 to 2, of unit rows to the centers of the clusters."""
        rows = self._rows(self._checked(X)).numpy()
        return np.asarray(euclidean_distances(rows, self.cluster_centers_))

    def _set_frame(self, X: np.ndarray) -> None:
        self._spread = 1.0

    def _rows(self, X: np.ndarray) -> torch.Tensor:
        # Copied: PyTorch would warn of an array that must not be written to.
        return torch.nn.functional.normalize(torch.from_numpy(np.array(X)), dim=1)

    def _centers(self, centroids: torch.Tensor) -> np.ndarray:
        return centroids.numpy()


def _finite(X: np.ndarray) -> np.ndarray:
    if not np.isfinite(X).all():
        raise InputError("X holds NaN or infinity; remove or impute these rows first.")
    return X
