"""The steps of a balanced assignment, vectorized over samples: prices, moves and exchanges.

x (n, d) are unit rows, centroids (K, d), labels (n,), prices and sizes (K,). In place of exact
sizes, lower and upper bounds may be given as (2, K); likewise for fractions. The similarity f.mu is
that of a :class:`clmle._space.Sphere` unless another space is given.
"""

import torch

from clmle._space import SPHERE, Sphere

SETTLING = (0.2, 0.2, 0.2, 0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.02, 0.02, 0.02, 0.01, 0.01, 0.01)
SETTLED = 1 << 25  # entries of a matrix of similarities from which prices are computed
NEAREST = 16
BLOCK = 1 << 20  # entries of a similarity block: a few MB, whatever n and K


def sums_by_label(rows: torch.Tensor, labels: torch.Tensor, k: int) -> torch.Tensor:
    """Sums (K, ...) of the ``rows`` (n, ...) of each label, bit for bit the same in every run."""
    sums = rows.new_zeros(k, *rows.shape[1:])
    if rows.is_cuda:  # index_add_ adds in an arbitrary order there, index_put_ sorts by label
        return sums.index_put_((labels,), rows, accumulate=True)
    return sums.index_add_(0, labels, rows)


def counts_by_label(labels: torch.Tensor, k: int) -> torch.Tensor:
    """Number of samples of each label, (K,); unlike torch.bincount without a wait for a GPU."""
    return sums_by_label(torch.ones_like(labels), labels, k)


def best_priced(x: torch.Tensor, centroids: torch.Tensor, prices: torch.Tensor) -> torch.Tensor:
    """Cluster with the largest f.mu - price for each sample, (n,), in blocks of rows."""
    step = max(1, min(4096, BLOCK // len(centroids)))
    return torch.cat([torch.addmm(-prices, b, centroids.T).argmax(dim=1) for b in x.split(step)])


def two_best(
    x: torch.Tensor, centroids: torch.Tensor, prices: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """What :func:`best_priced` returns, and how much worse the second best cluster is, (n,)."""
    found = []
    for block in x.split(max(1, min(4096, BLOCK // len(centroids)))):
        value = torch.addmm(-prices, block, centroids.T)
        best, label = value.max(dim=1)
        value.scatter_(1, label[:, None], -torch.inf)
        found.append((label, best - value.amax(dim=1)))
    labels, costs = zip(*found, strict=True)
    return torch.cat(labels), torch.cat(costs)


def nearest_by_graph(
    x: torch.Tensor,
    labels: torch.Tensor,
    centroids: torch.Tensor,
    t: int,
    space: Sphere = SPHERE,
) -> tuple[torch.Tensor, torch.Tensor]:
    """The ``t`` clusters nearest to each cluster, itself first, (K, t), and their f.mu, (n, t).

    Clusters have (nearly) equal sizes: samples sorted by cluster allow one batched product.
    """
    k = len(centroids)
    graph = torch.empty(k, t, dtype=torch.int64, device=x.device)
    step = max(1, BLOCK // k)
    for start in range(0, k, step):
        product = space.rows_at(centroids[start : start + step]) @ centroids.T
        own = torch.arange(start, start + len(product), device=x.device)
        product[torch.arange(len(product), device=x.device), own] = torch.inf
        graph[start : start + step] = product.topk(t, dim=1).indices
    order = torch.argsort(labels, stable=True)
    counts = counts_by_label(labels, k)
    begins = counts.cumsum(0) - counts
    width = int(counts.max())
    # The products of empty slots go to a last row: a mask would wait for a GPU in every group.
    similarity = torch.empty(len(x) + 1, t, dtype=x.dtype, device=x.device)
    columns = torch.arange(width, device=x.device)
    group = max(1, BLOCK // (width * max(t, x.shape[1])))
    for first in range(0, k, group):
        clusters = torch.arange(first, min(first + group, k), device=x.device)
        slot = begins[clusters, None] + columns
        rows = order[slot.clamp(max=len(x) - 1)]
        product = x[rows] @ centroids[graph[clusters]].transpose(1, 2)
        similarity[rows.masked_fill(columns >= counts[clusters, None], len(x))] = product
    return graph, similarity[:-1]


def update_prices(
    similarity: torch.Tensor,
    prices: torch.Tensor,
    fractions: torch.Tensor,
    rounds: int = 6,
    temperature: float = 0.2,
) -> torch.Tensor:
    """Raise the prices of clusters with too much demand and lower the others.

    Sinkhorn's iteration (Cuturi 2013) on the f.mu of a sample of rows, (m, K): a row demands each
    cluster in proportion to exp((f.mu - price) / tau), and price += tau log(demand / fraction). tau
    is ``temperature`` standard deviations of a row's similarities. ``fractions`` (K,) sum to 1.
    """
    kernel, tau = smoothed(similarity - prices, temperature)
    factor = balance(kernel, torch.ones_like(prices), fractions, rounds, (prices / tau).exp())
    return prices - tau * factor.log()


def settled_prices(
    sample: torch.Tensor, centroids: torch.Tensor, fractions: torch.Tensor
) -> torch.Tensor:
    """Prices (K,) of fixed centroids, at falling temperatures: demand is that of the best cluster.

    ``fractions`` are (K,) or bounds (2, K).
    """
    step = -(-len(sample) * len(centroids) // SETTLED)
    similarity = sample[::step] @ centroids.T
    prices = torch.zeros_like(similarity[0])
    for temperature in SETTLING:
        prices = update_prices(similarity, prices, fractions, temperature=temperature)
    if step > 1:  # all rows would take too much memory: each with its nearest clusters only
        found = [
            (block @ centroids.T - prices).topk(min(NEAREST, len(prices)), dim=1)
            for block in sample.split(max(1, BLOCK // len(centroids)))
        ]
        near = torch.cat([one.indices for one in found])
        similarity = torch.cat([one.values for one in found]) + prices[near]
        for temperature in SETTLING[3:]:
            prices = update_prices_sparse(
                near, similarity, prices, fractions, temperature=temperature
            )
    return prices


def smoothed(similarity: torch.Tensor, temperature: float) -> tuple[torch.Tensor, torch.Tensor]:
    """exp(similarity / tau) up to a factor per row, and tau.

    tau is ``temperature`` times the mean standard deviation of a row.
    """
    # torch.std along rows takes ten times as long.
    variance = similarity.square().mean(dim=1) - similarity.mean(dim=1).square()
    tau = temperature * variance.clamp(min=0).sqrt().mean().double() + 1e-6
    return torch.exp((similarity - similarity.amax(dim=1, keepdim=True)) / tau), tau


def balance(
    kernel: torch.Tensor,
    factor: torch.Tensor,
    fractions: torch.Tensor,
    rounds: int,
    free: torch.Tensor | None = None,
) -> torch.Tensor:
    """Factors of the columns that give each its fraction of the rows (Sinkhorn).

    Between two bounds a column keeps its factor ``free``, by default 1, at which it has no price
    (Chizat et al. 2018).
    """
    free = torch.ones_like(factor) if free is None else free
    for _ in range(rounds):
        demand = (kernel.T @ (1 / (kernel @ factor))).clamp(min=1e-12)
        factor = free.clamp(*(fractions * len(kernel) / demand).expand(2, -1))
    return factor.clamp(min=1e-12, max=1e12)


def update_prices_sparse(
    near: torch.Tensor,
    similarity: torch.Tensor,
    prices: torch.Tensor,
    fractions: torch.Tensor,
    rounds: int = 5,
    temperature: float = 0.2,
) -> torch.Tensor:
    """:func:`update_prices` where each row is compared with its clusters ``near`` (m, t) only."""
    kernel, tau = smoothed(similarity - prices[near], temperature)
    factor, free = torch.ones_like(prices), (prices / tau).exp()
    flat = near.reshape(-1)
    for _ in range(rounds):
        rows = (kernel * factor[near]).sum(dim=1, keepdim=True)
        demand = sums_by_label((kernel / rows).reshape(-1), flat, len(prices))
        factor = free.clamp(*(fractions * len(kernel) / demand.clamp(min=1e-6)).expand(2, -1))
    return prices - tau * factor.clamp(min=1e-12).log()


def exact_sizes(
    x: torch.Tensor,
    centroids: torch.Tensor,
    labels: torch.Tensor,
    prices: torch.Tensor,
    sizes: torch.Tensor,
) -> torch.Tensor:
    """Labels with the counts ``sizes``: surplus samples with the lowest cost move to free slots."""
    least, most = sizes.expand(2, -1)
    k = len(least)
    labels = labels.clone()
    while True:
        counts = counts_by_label(labels, k)
        excess, free = (counts - most).clamp(min=0), (most - counts).clamp(min=0)
        if not bool(excess.any()):  # then clusters that are too small take from all others
            excess, free = (counts - least).clamp(min=0), (least - counts).clamp(min=0)
            if not bool(free.any()):
                return labels
        rows = torch.nonzero(excess[labels] > 0).squeeze(1)
        open_clusters = torch.nonzero(free > 0).squeeze(1)
        target, cost = _cheapest_move(x, centroids, prices, labels, rows, open_clusters)
        order = torch.argsort(cost, stable=True)
        rows, target = rows[order], target[order]
        # A cluster gives at most its surplus and takes at most its free slots.
        taken = torch.nonzero(rank_within(labels[rows]) < excess[labels[rows]]).squeeze(1)
        rows, target = rows[taken], target[taken]
        labels[rows] = torch.where(rank_within(target) < free[target], target, labels[rows])


def _cheapest_move(
    x: torch.Tensor,
    centroids: torch.Tensor,
    prices: torch.Tensor,
    labels: torch.Tensor,
    rows: torch.Tensor,
    open_clusters: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Best open cluster of each of ``rows``, and the cost of the move at current prices."""
    targets, costs = [], []
    for block in rows.split(max(1, BLOCK // max(len(open_clusters), x.shape[1]))):
        product = x[block] @ centroids[open_clusters].T - prices[open_clusters]
        best, column = product.max(dim=1)
        own = (x[block] * centroids[labels[block]]).sum(dim=1) - prices[labels[block]]
        targets.append(open_clusters[column])
        costs.append(own - best)
    return torch.cat(targets), torch.cat(costs)


def use_slack(
    labels: torch.Tensor, graph: torch.Tensor, similarity: torch.Tensor, sizes: torch.Tensor
) -> tuple[torch.Tensor, int]:
    """Move samples to better clusters as far as the bounds ``sizes`` (2, K) allow.

    ``graph`` and ``similarity`` are those of :func:`nearest_by_graph`. Returns new labels and the
    number of moved samples; there is none where ``sizes`` are exact.
    """
    least, most = sizes.expand(2, -1)
    counts = torch.bincount(labels, minlength=len(least))
    gain = similarity - similarity[:, :1]
    gain[(counts <= least)[labels]] = -torch.inf
    gain = gain.masked_fill((counts >= most)[graph[labels]], -torch.inf)
    best, column = gain.max(dim=1)
    rows = torch.nonzero(best > 1e-6).squeeze(1)
    rows = rows[torch.argsort(best[rows], descending=True, stable=True)]
    source, target = labels[rows], graph[labels[rows], column[rows]]
    kept = (rank_within(source) < (counts - least)[source]) & (
        rank_within(target) < (most - counts)[target]
    )
    labels = labels.clone()
    labels[rows[kept]] = target[kept]
    return labels, int(kept.sum())


def exchange(
    labels: torch.Tensor, graph: torch.Tensor, similarity: torch.Tensor
) -> tuple[torch.Tensor, int]:
    """Swap pairs of samples between neighboring clusters where the sum of f.mu grows.

    For any two clusters, the sample with the largest gain from moving one way is paired with the
    sample with the largest gain from moving the other way, the second with the second, and so on.
    Each sample takes part once, in its best pair. ``graph`` (K, t) and ``similarity`` (n, t) are
    those of :func:`nearest_by_graph`. Returns new labels and the number of moved samples.
    """
    n, k = len(labels), len(graph)
    gain = similarity - similarity[:, :1]
    row, column = _promising_moves(labels, graph, gain)
    source, target, gain = labels[row], graph[labels[row], column], gain[row, column]
    out = labels.clone()
    moved = 0
    free = torch.ones(n, dtype=torch.bool, device=labels.device)
    while len(row):
        a, b = _matched_pairs(source, target, gain, k)
        if len(a) == 0:
            break
        chosen = _disjoint(row[a], row[b], gain[a] + gain[b], n)
        a, b = a[chosen], b[chosen]
        out[row[a]], out[row[b]] = target[a], target[b]
        free[row[a]] = free[row[b]] = False
        moved += 2 * len(a)
        keep = torch.nonzero(free[row]).squeeze(1)
        row, source, target, gain = row[keep], source[keep], target[keep], gain[keep]
    return out, moved


def _promising_moves(
    labels: torch.Tensor, graph: torch.Tensor, gain: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Moves (row, column of graph) that gain together with the best opposite move."""
    k, t = graph.shape
    slot = labels[:, None] * t + torch.arange(t, device=labels.device)
    best = torch.full((k * t,), -torch.inf, dtype=gain.dtype, device=gain.device)
    best.scatter_reduce_(0, slot.reshape(-1), gain.reshape(-1), "amax")
    # Column of a cluster in the list of its neighbor, if it is there.
    back = graph[graph] == torch.arange(k, device=graph.device)[:, None, None]
    reverse = best.view(k, t)[graph, back.int().argmax(dim=2)]
    reverse = torch.where(back.any(dim=2), reverse, torch.full_like(reverse, -torch.inf))
    reverse[:, 0] = -torch.inf
    row, column = torch.nonzero(gain + reverse[labels] > 0, as_tuple=True)
    return row, column


def _matched_pairs(
    source: torch.Tensor, target: torch.Tensor, gain: torch.Tensor, k: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Moves a and b of opposite directions and equal rank by gain, for any two clusters.

    Only pairs that gain together.
    """
    order = torch.argsort(gain, descending=True, stable=True)
    direction = (source * k + target)[order]
    order = order[torch.argsort(direction, stable=True)]
    source, target = source[order], target[order]
    rank = _rank_sorted(source * k + target)
    pair = torch.minimum(source, target) * k + torch.maximum(source, target)
    key = pair * (len(gain) + 1) + rank
    forth, back = (
        torch.nonzero(source < target).squeeze(1),
        torch.nonzero(source > target).squeeze(1),
    )
    back = back[torch.argsort(key[back])]
    if len(back) == 0 or len(forth) == 0:
        return order[:0], order[:0]
    index = torch.searchsorted(key[back], key[forth]).clamp(max=len(back) - 1)
    a, b = order[forth], order[back[index]]
    gains = (key[back][index] == key[forth]) & (gain[a] + gain[b] > 1e-6)
    kept = torch.nonzero(gains).squeeze(1)
    return a[kept], b[kept]


def _disjoint(
    first: torch.Tensor, second: torch.Tensor, total: torch.Tensor, n: int
) -> torch.Tensor:
    """Pairs that are the best pair of both of their samples."""
    best = torch.full((n,), -torch.inf, dtype=total.dtype, device=total.device)
    best.scatter_reduce_(0, first, total, "amax")
    best.scatter_reduce_(0, second, total, "amax")
    good = torch.nonzero((best[first] == total) & (best[second] == total)).squeeze(1)
    # With equal totals a sample could occur twice: keep its first pair.
    owner = torch.full((n,), len(total), dtype=torch.int64, device=total.device)
    owner.scatter_reduce_(0, first[good], good, "amin")
    owner.scatter_reduce_(0, second[good], good, "amin")
    return good[(owner[first[good]] == good) & (owner[second[good]] == good)]


def rank_within(groups: torch.Tensor) -> torch.Tensor:
    """Number of earlier entries of the same group, for each entry."""
    order = torch.argsort(groups, stable=True)
    rank = torch.empty_like(order)
    rank[order] = _rank_sorted(groups[order])
    return rank


def _rank_sorted(groups: torch.Tensor) -> torch.Tensor:
    """:func:`rank_within` for sorted groups."""
    n = len(groups)
    index = torch.arange(n, device=groups.device)
    new = torch.ones(n, dtype=torch.bool, device=groups.device)
    new[1:] = groups[1:] != groups[:-1]
    return index - torch.where(new, index, torch.zeros_like(index)).cummax(0).values
