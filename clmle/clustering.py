"""Balanced spherical k-means: clusters of equal size on the unit sphere (Eqs. 6-7).

Lloyd's algorithm with an assignment step that is balanced by prices: sample i goes to the cluster
with the largest f_i.mu_k - price_k, and the prices of crowded clusters rise (the dual of the
transport problem, smoothed as in Sinkhorn's algorithm). The last assignment is made exact by moving
surplus samples at the smallest cost, then improved by exchanging pairs of samples, which keeps
every size.

Many clusters are found in two levels: first groups of clusters, then clusters within each group,
then all clusters together, where each sample is compared with the clusters next to its own only.
The time grows almost linearly with the number of samples at a fixed cluster size, and no n x K
matrix is stored.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from clmle._balance import (
    balance,
    best_priced,
    counts_by_label,
    exact_sizes,
    exchange,
    nearest_by_graph,
    settled_prices,
    smoothed,
    sums_by_label,
    update_prices,
    update_prices_sparse,
    use_slack,
)
from clmle._space import SPHERE, Sphere
from clmle.checks import dense, numeric, seed_number, whole
from clmle.device import to_device
from clmle.errors import InputError

FLAT_CLUSTERS = 40  # up to this number every centroid is compared with every sample
GROUP_CLUSTERS = 32  # clusters of one group in the two-level search
CANDIDATES = 12  # neighbors of a cluster with which it exchanges samples
SAMPLE = 72  # rows per cluster from which prices are computed
WARM_SAMPLE = 10  # the same for the first prices of a warm start
PRICED_CLUSTERS = 2048  # most clusters of such prices, which need WARM_SAMPLE K x K numbers
EXCHANGES = 50  # most rounds of exchanges at fixed centroids
COOLING = 20  # iterations of soft k-means for the starting centroids
TEMPERATURES = (0.5, 0.1)  # of the first and the last, in deviations of a row's similarities


@dataclass(frozen=True)
class BalancedClusters:
    """Result of :func:`balanced_spherical_kmeans`: arrays, or tensors where tensors were given.

    Attributes
    ----------
    labels : (n,) int64
        Cluster of each sample, in [0, K).
    centroids : (K, d) float
        Normalized means of the clusters (Eq. 7).
    sizes : (K,) int64
        Number of samples of each cluster; sizes differ by at most one.
    objective : float
        Mean over samples of f.mu, in [-1, 1] (Eq. 6 divided by n).
    """

    labels: Any
    centroids: Any
    sizes: Any
    objective: float


def balanced_spherical_kmeans(
    features: Any,
    cluster_size: int = 200,
    n_clusters: int | None = None,
    *,
    init: Any = None,
    max_iter: int = 15,
    seed: int = 0,
) -> BalancedClusters:
    """Partition rows into clusters of equal size that maximize sum_i f_i.mu_{k(i)}.

    Parameters
    ----------
    features : (n, d) array or tensor
        Rows are normalized to unit length first; a zero row stays zero. A tensor is clustered on
        its device (of mps on the CPU); on a CUDA GPU equal arguments give equal clusters, too.
    cluster_size : int, default 200
        l; the number of clusters is max(1, floor(n / l)).
    n_clusters : int, optional
        K, at most n, in place of ``cluster_size``.
    init : (K, d) array or tensor, optional
        Starting centroids; cluster k of the result develops from row k. This keeps the identity of
        clusters from one refresh to the next.
    max_iter : int, default 15
        Iterations of assignment and centroid update.
    seed : int, default 0
        Seed of the starting centroids; the result depends on the arguments only.

    Returns
    -------
    BalancedClusters

    Raises
    ------
    InputError
        If ``features`` is not a finite (n, d) array with n, d >= 1, or a number is out of range.

    References
    ----------
    Section 3.2 of the CLMLE paper, Eqs. 6 and 7. M. Cuturi, "Sinkhorn Distances: Lightspeed
    Computation of Optimal Transport", NIPS 2013.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> clusters = balanced_spherical_kmeans(rng.normal(size=(1000, 8)), cluster_size=100)
    >>> clusters.sizes.tolist()
    [100, 100, 100, 100, 100, 100, 100, 100, 100, 100]
    """
    x, start, k = _checked(features, cluster_size, n_clusters, init, max_iter)
    n = len(x)
    sizes = torch.full((k,), n // k, dtype=torch.int64, device=x.device)
    sizes[: n % k] += 1
    generator = torch.Generator().manual_seed(seed_number(seed))
    # The caller may be within autocast, but clusters are found in the precision of the features.
    with torch.no_grad(), torch.autocast(x.device.type, enabled=False):
        if start is not None:
            labels = warm_start(x, sizes, start, max_iter, generator)
        else:
            labels = divide(x, sizes, max_iter, generator)
        centroids = unit_means(x, labels, k)
        objective = float((x * centroids[labels]).sum(dim=1).double().mean())
    if isinstance(features, torch.Tensor):
        labels, centroids, sizes = (t.to(features.device) for t in (labels, centroids, sizes))
        return BalancedClusters(labels, centroids, sizes, objective)
    return BalancedClusters(
        labels.numpy(), centroids.numpy().astype(_float_type(features)), sizes.numpy(), objective
    )


def unit_means(
    x: torch.Tensor, labels: torch.Tensor, k: int, space: Sphere = SPHERE
) -> torch.Tensor:
    """Normalized means of the clusters (Eq. 7), (K, d), of rows (n, d) with ``labels`` (n,).

    In another ``space`` its centroids.
    """
    return space.center(sums_by_label(x, labels, k))


def assign(
    x: torch.Tensor, centroids: torch.Tensor, sizes: torch.Tensor, space: Sphere = SPHERE
) -> torch.Tensor:
    """Labels with the given cluster ``sizes`` (K,) or bounds (2, K) at fixed ``centroids``."""
    k = len(centroids)
    prices = settled_prices(x, centroids, sizes.to(x.dtype) / len(x))
    labels = best_priced(x, centroids, prices)
    labels = exact_sizes(x, centroids, labels, prices, sizes)
    for _ in range(EXCHANGES):
        graph, similarity = nearest_by_graph(x, labels, centroids, min(k, CANDIDATES), space)
        labels, moved = use_slack(labels, graph, similarity, sizes)
        if not moved:
            labels, moved = exchange(labels, graph, similarity)
        if not moved:
            break
    return labels


def divide(
    x: torch.Tensor,
    sizes: torch.Tensor,
    max_iter: int,
    generator: torch.Generator,
    space: Sphere = SPHERE,
) -> torch.Tensor:
    """Labels with the given cluster ``sizes`` (K,); by groups where there are many clusters.

    ``sizes`` may be bounds (2, K), here and below.
    """
    k = sizes.shape[-1]
    if k == 1:
        return torch.zeros(len(x), dtype=torch.int64, device=x.device)
    if k <= FLAT_CLUSTERS:
        return _flat(x, sizes, _seeds(x, sizes, generator, space), max_iter, generator, space)
    n_groups = min(math.ceil(k / GROUP_CLUSTERS), FLAT_CLUSTERS)
    parts = torch.tensor_split(torch.arange(k, device=x.device), n_groups)
    capacity = torch.stack([sizes[..., part].sum(dim=-1) for part in parts], dim=-1)
    seeds = _seeds(x, capacity, generator, space)
    groups = _flat(x, capacity, seeds, max_iter, generator, space)
    labels = torch.empty(len(x), dtype=torch.int64, device=x.device)
    counts = counts_by_label(groups, n_groups).tolist()
    members = torch.argsort(groups, stable=True).split(counts)
    for part, rows in zip(parts, members, strict=True):
        labels[rows] = part[divide(x[rows], sizes[..., part], max_iter, generator, space)]
    return warm_start(x, sizes, unit_means(x, labels, k, space), max_iter, generator, space)


def warm_start(
    x: torch.Tensor,
    sizes: torch.Tensor,
    centroids: torch.Tensor,
    max_iter: int,
    generator: torch.Generator,
    space: Sphere = SPHERE,
) -> torch.Tensor:
    """Labels that develop from given centroids."""
    k = sizes.shape[-1]
    if k <= FLAT_CLUSTERS:
        return _flat(x, sizes, centroids, max_iter, generator, space)
    prices = torch.zeros(k, dtype=x.dtype, device=x.device)
    # Centroids that batches have moved may be nearer to all samples than those that stayed: a few
    # clusters would take all samples, and repairing the sizes would be slow.
    if k <= PRICED_CLUSTERS:
        sample = x[_drawn_rows(x, WARM_SAMPLE * k, generator)]
        prices = update_prices(sample @ centroids.T, prices, sizes.to(x.dtype) / len(x))
    return _refine(x, best_priced(x, centroids, prices), sizes, max_iter, generator, space)


def _refine(
    x: torch.Tensor,
    labels: torch.Tensor,
    sizes: torch.Tensor,
    max_iter: int,
    generator: torch.Generator,
    space: Sphere = SPHERE,
) -> torch.Tensor:
    """Lloyd's algorithm with prices; each sample is compared with its cluster's neighbors only."""
    k = sizes.shape[-1]
    sample = _drawn_rows(x, SAMPLE * k, generator)
    fractions = sizes.to(x.dtype) / len(x)
    prices = torch.zeros(k, dtype=x.dtype, device=x.device)
    for _ in range(max_iter):
        centroids = unit_means(x, labels, k, space)
        graph, similarity = nearest_by_graph(x, labels, centroids, 2 * CANDIDATES, space)
        near = graph[labels[sample]]
        prices = update_prices_sparse(near, similarity[sample], prices, fractions)
        best = (similarity - prices[graph][labels]).argmax(dim=1)
        labels = graph[labels, best]
    labels = exact_sizes(x, centroids, labels, prices, sizes)
    return _improve(x, labels, k, max_iter, space, sizes)


def _flat(
    x: torch.Tensor,
    sizes: torch.Tensor,
    centroids: torch.Tensor,
    max_iter: int,
    generator: torch.Generator,
    space: Sphere = SPHERE,
) -> torch.Tensor:
    """Lloyd's algorithm with prices (computed on a sample of the rows), then exact sizes."""
    k = sizes.shape[-1]
    if k == 1:
        return torch.zeros(len(x), dtype=torch.int64, device=x.device)
    sample = x[_drawn_rows(x, SAMPLE * k, generator)]
    fractions = sizes.to(x.dtype) / len(x)
    prices = torch.zeros(k, dtype=x.dtype, device=x.device)
    labels: torch.Tensor | None = None
    for _ in range(max_iter):
        if labels is not None:
            centroids = unit_means(x, labels, k, space)
        prices = update_prices(sample @ centroids.T, prices, fractions)
        labels = best_priced(x, centroids, prices)
    assert labels is not None
    labels = exact_sizes(x, centroids, labels, prices, sizes)
    return _improve(x, labels, k, max_iter, space, sizes)


def _improve(
    x: torch.Tensor,
    labels: torch.Tensor,
    k: int,
    rounds: int,
    space: Sphere = SPHERE,
    sizes: torch.Tensor | None = None,
) -> torch.Tensor:
    """Exchange samples between clusters while that raises the objective; sizes are kept.

    Between the bounds ``sizes`` (2, K), samples are moved first.
    """
    for _ in range(rounds):
        centroids = unit_means(x, labels, k, space)
        graph, similarity = nearest_by_graph(x, labels, centroids, min(k, CANDIDATES), space)
        if sizes is not None and sizes.dim() == 2:
            labels, moved = use_slack(labels, graph, similarity, sizes)
            if moved:
                continue
        labels, moved = exchange(labels, graph, similarity)
        if moved < max(2, len(x) // 100):
            break
    return labels


def _seeds(
    x: torch.Tensor, sizes: torch.Tensor, generator: torch.Generator, space: Sphere = SPHERE
) -> torch.Tensor:
    """Starting centroids: balanced soft k-means on a small sample at falling temperatures.

    Deterministic annealing (Rose 1998) reaches better optima than hard assignments from the same
    start; a small sample is sufficient (Bradley and Fayyad 1998).
    """
    k = sizes.shape[-1]
    sample = x[_drawn_rows(x, SAMPLE * k, generator)]
    # On the host: one tiny step after the other, and a GPU sums up in an arbitrary order.
    rows = _plus_plus(sample[: 20 * k].cpu(), k, generator, space)
    centroids = space.centroids_at(to_device(rows, x.device))
    fractions = sizes.to(x.dtype) / len(x)
    factor = torch.ones_like(centroids[:, 0])
    first, last = TEMPERATURES
    for i in range(COOLING):
        temperature = first * (last / first) ** (i / (COOLING - 1))
        kernel = smoothed(sample @ centroids.T, temperature)[0]
        factor = balance(kernel, factor, fractions, rounds=4)
        weights = kernel * factor / (kernel @ factor).unsqueeze(1)
        centroids = space.center(weights.T @ sample)
    return centroids


def _drawn_rows(x: torch.Tensor, n: int, generator: torch.Generator) -> torch.Tensor:
    """Indices of at most ``n`` different rows of ``x``, on its device."""
    return to_device(torch.randperm(len(x), generator=generator)[:n], x.device)


def _plus_plus(
    sample: torch.Tensor, k: int, generator: torch.Generator, space: Sphere = SPHERE
) -> torch.Tensor:
    """Greedy k-means++ (Arthur and Vassilvitskii 2007); half a squared distance is peak - f.mu.

    Each new centroid is the best of several rows drawn in proportion to their distance.
    """
    trials = 2 + int(math.log(k))
    draws = torch.rand(k, trials, generator=generator).to(sample.dtype)
    rows = torch.empty(k, dtype=torch.int64)
    peak = space.peak(sample)
    distance = torch.full_like(peak, 4 * float(peak.max()))  # above all distances
    for i in range(k):
        cumulative = distance.cumsum(0)
        drawn = torch.searchsorted(cumulative, draws[i] * cumulative[-1]).clamp(max=len(sample) - 1)
        similarity = space.centroids_at(sample[drawn]) @ sample.T
        nearer = torch.minimum(distance, (peak - similarity).clamp(min=1e-6))
        best = nearer.sum(dim=1).argmin()
        rows[i], distance = drawn[best], nearer[best]
    return sample[rows]


def _checked(
    features: Any, cluster_size: int, n_clusters: int | None, init: Any, max_iter: int
) -> tuple[torch.Tensor, torch.Tensor | None, int]:
    """Unit rows, unit starting centroids and K; or an InputError."""
    x = _as_float_tensor(features, "features")
    if x.device.type == "mps":  # which has no float64
        x = x.cpu()
    n = len(x)
    cluster_size = whole(cluster_size, "cluster_size", 1)
    k = max(1, n // cluster_size) if n_clusters is None else whole(n_clusters, "n_clusters")
    if not 1 <= k <= n:
        raise InputError(f"n_clusters is {k}, but must be from 1 to the number of rows ({n}).")
    whole(max_iter, "max_iter", 1)
    start = None
    if init is not None:
        start = to_device(_as_float_tensor(init, "init"), x.device, x.dtype)
        if start.shape != (k, x.shape[1]):
            raise InputError(
                f"init must hold one centroid for each of the {k} clusters, shape "
                f"({k}, {x.shape[1]}), not {tuple(start.shape)}."
            )
        start = torch.nn.functional.normalize(start, dim=1)
    return torch.nn.functional.normalize(x, dim=1), start, k


def real_tensor(values: Any, name: str) -> torch.Tensor:
    """An array or dense tensor of real numbers as a tensor."""
    tensor: torch.Tensor = values
    if not isinstance(values, torch.Tensor):
        tensor = torch.from_numpy(np.ascontiguousarray(numeric(values, name)))
    dense(tensor, name)
    if tensor.is_complex():
        raise InputError(f"{name} must be real numbers, but are of type {tensor.dtype}.")
    return tensor


def _as_float_tensor(values: Any, name: str) -> torch.Tensor:
    tensor = real_tensor(values, name)
    if tensor.dim() != 2 or 0 in tensor.shape:
        raise InputError(f"{name} must be (rows, dimensions), not {tuple(tensor.shape)}.")
    if tensor.dtype not in (torch.float32, torch.float64):
        tensor = tensor.float()
    if not bool(torch.isfinite(tensor).all()):
        raise InputError(f"{name} must be finite, but holds NaN or infinity; clean it first.")
    return tensor


def _float_type(features: Any) -> Any:
    dtype = np.asarray(features).dtype
    return dtype if dtype in (np.float32, np.float64) else np.float32
