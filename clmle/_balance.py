"""The steps of a balanced assignment, vectorized over samples: prices, moves and exchanges.

x (n, d) are unit rows, centroids (K, d), labels (n,), prices and sizes (K,).
"""

import torch

BLOCK = 1 << 20  # entries of a similarity block: a few MB, whatever n and K


def best_priced(x: torch.Tensor, centroids: torch.Tensor, prices: torch.Tensor) -> torch.Tensor:
    """Cluster with the largest f.mu - price for each sample, (n,), in blocks of rows."""
    step = max(1, min(4096, BLOCK // len(centroids)))
    return torch.cat([torch.addmm(-prices, b, centroids.T).argmax(dim=1) for b in x.split(step)])


def nearest_by_graph(
    x: torch.Tensor, labels: torch.Tensor, centroids: torch.Tensor, t: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """The ``t`` clusters nearest to each cluster, itself first, (K, t), and their f.mu, (n, t).

    Clusters have (nearly) equal sizes: samples sorted by cluster allow one batched product.
    """
    k = len(centroids)
    graph = torch.empty(k, t, dtype=torch.int64, device=x.device)
    step = max(1, BLOCK // k)
    for start in range(0, k, step):
        product = centroids[start : start + step] @ centroids.T
        own = torch.arange(start, start + len(product), device=x.device)
        product[torch.arange(len(product), device=x.device), own] = torch.inf
        graph[start : start + step] = product.topk(t, dim=1).indices
    order = torch.argsort(labels, stable=True)
    counts = torch.bincount(labels, minlength=k)
    begins = counts.cumsum(0) - counts
    width = int(counts.max())
    similarity = torch.empty(len(x), t, dtype=x.dtype, device=x.device)
    columns = torch.arange(width, device=x.device)
    group = max(1, BLOCK // (width * max(t, x.shape[1])))
    for first in range(0, k, group):
        clusters = torch.arange(first, min(first + group, k), device=x.device)
        slot = begins[clusters, None] + columns
        valid = columns < counts[clusters, None]
        rows = order[slot.clamp(max=len(x) - 1)]
        product = x[rows] @ centroids[graph[clusters]].transpose(1, 2)
        similarity[rows[valid]] = product[valid]
    return graph, similarity


def update_prices(
    similarity: torch.Tensor, prices: torch.Tensor, fractions: torch.Tensor, rounds: int = 6
) -> torch.Tensor:
    """Raise the prices of clusters with too much demand and lower the others.

    Sinkhorn's iteration (Cuturi 2013) on the f.mu of a sample of rows, (m, K): a row demands each
    cluster in proportion to exp((f.mu - price) / tau), and price += tau log(demand / fraction). tau
    is 0.2 standard deviations of a row's similarities. ``fractions`` (K,) sum to 1.
    """
    kernel, tau = smoothed(similarity - prices, 0.2)
    factor = balance(kernel, torch.ones_like(prices), fractions, rounds)
    return prices - tau * factor.log()


def smoothed(similarity: torch.Tensor, temperature: float) -> tuple[torch.Tensor, float]:
    """exp(similarity / tau) up to a factor per row, and tau.

    tau is ``temperature`` times the mean standard deviation of a row.
    """
    # torch.std along rows takes ten times as long.
    variance = similarity.square().mean(dim=1) - similarity.mean(dim=1).square()
    tau = temperature * float(variance.clamp(min=0).sqrt().mean()) + 1e-6
    return torch.exp((similarity - similarity.amax(dim=1, keepdim=True)) / tau), tau


def balance(
    kernel: torch.Tensor, factor: torch.Tensor, fractions: torch.Tensor, rounds: int
) -> torch.Tensor:
    """Factors of the columns that give each its fraction of the rows (Sinkhorn)."""
    for _ in range(rounds):
        factor = fractions * len(kernel) / (kernel.T @ (1 / (kernel @ factor))).clamp(min=1e-12)
    return factor.clamp(min=1e-12, max=1e12)


def update_prices_sparse(
    near: torch.Tensor,
    similarity: torch.Tensor,
    prices: torch.Tensor,
    fractions: torch.Tensor,
    rounds: int = 5,
) -> torch.Tensor:
    """:func:`update_prices` where each row is compared with its clusters ``near`` (m, t) only."""
    kernel, tau = smoothed(similarity - prices[near], 0.2)
    factor = torch.ones_like(prices)
    flat = near.reshape(-1)
    for _ in range(rounds):
        rows = (kernel * factor[near]).sum(dim=1, keepdim=True)
        demand = torch.zeros_like(prices).index_add_(0, flat, (kernel / rows).reshape(-1))
        factor = fractions * len(kernel) / demand.clamp(min=1e-6)
    return prices - tau * factor.clamp(min=1e-12).log()


def exact_sizes(
    x: torch.Tensor,
    centroids: torch.Tensor,
    labels: torch.Tensor,
    prices: torch.Tensor,
    sizes: torch.Tensor,
) -> torch.Tensor:
    """Labels with the counts ``sizes``: surplus samples with the lowest cost move to free slots."""
    k = len(sizes)
    labels = labels.clone()
    while True:
        counts = torch.bincount(labels, minlength=k)
        excess, free = (counts - sizes).clamp(min=0), (sizes - counts).clamp(min=0)
        if not bool(excess.any()):
            return labels
        rows = torch.nonzero(excess[labels] > 0).squeeze(1)
        open_clusters = torch.nonzero(free > 0).squeeze(1)
        target, cost = _cheapest_move(x, centroids, prices, labels, rows, open_clusters)
        order = torch.argsort(cost, stable=True)
        rows, target = rows[order], target[order]
        # A cluster gives at most its surplus and takes at most its free slots.
        taken = rank_within(labels[rows]) < excess[labels[rows]]
        rows, target = rows[taken], target[taken]
        taken = rank_within(target) < free[target]
        labels[rows[taken]] = target[taken]


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
        total = gain[a] + gain[b]
        good = total > 1e-6
        a, b, total = a[good], b[good], total[good]
        if len(a) == 0:
            break
        chosen = _disjoint(row[a], row[b], total, n)
        a, b = a[chosen], b[chosen]
        out[row[a]], out[row[b]] = target[a], target[b]
        free[row[a]] = free[row[b]] = False
        moved += 2 * len(a)
        keep = free[row]
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
    """Moves a and b of opposite directions and equal rank by gain, for any two clusters."""
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
    match = key[back][index] == key[forth]
    return order[forth[match]], order[back[index[match]]]


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
