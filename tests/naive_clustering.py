"""A balanced spherical k-means of float64 loops: the oracle of clmle.clustering.

The sizes of samples, groups and neighborhoods are small, so that a few hundred rows reach every
branch; ``SMALL`` has the names of the constants of clmle.clustering.
"""

import math

import numpy as np
import torch

SMALL = {
    "FLAT_CLUSTERS": 5,
    "GROUP_CLUSTERS": 4,
    "CANDIDATES": 3,
    "SAMPLE": 6,
    "WARM_SAMPLE": 3,
    "COOLING": 4,
    "TEMPERATURES": (0.8, 0.2),
}
FLAT, GROUP, NEAR, SAMPLE, WARM_SAMPLE, COOLING, TEMPERATURES = SMALL.values()
PRICED = 9  # most clusters for which a warm start computes first prices


def unit(x):
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def plain_smoothed(similarity, part):
    tau = part * np.mean([row.std() for row in similarity]) + 1e-6
    return np.exp((similarity - similarity.max(axis=1, keepdims=True)) / tau), tau


def plain_prices(similarity, prices, fractions, rounds, allowed=None):
    """Sinkhorn's iteration by rows and columns; ``allowed`` (m, K) selects the columns of a row.

    The demand for a column is at least ``least`` rows.
    """
    m, k = similarity.shape
    least = 1e-12 if allowed is None else 1e-6
    allowed = np.ones((m, k), dtype=bool) if allowed is None else allowed
    priced = similarity - prices
    tau = 0.2 * np.mean([priced[i, allowed[i]].std() for i in range(m)]) + 1e-6
    part = np.zeros((m, k))
    for i in range(m):
        own = priced[i, allowed[i]]
        part[i, allowed[i]] = np.exp((own - own.max()) / tau)
    factor = np.ones(k)
    for _ in range(rounds):
        demand = np.zeros(k)
        for i in range(m):
            demand += part[i] / (part[i] @ factor)
        factor = fractions * m / np.maximum(demand, least)
    return prices - tau * np.log(np.clip(factor, 1e-12, 1e12))


def plain_exact(x, centroids, labels, prices, sizes):
    labels = labels.copy()
    priced = x @ centroids.T - prices
    while True:
        counts = np.bincount(labels, minlength=len(sizes))
        excess, free = np.maximum(counts - sizes, 0), np.maximum(sizes - counts, 0)
        if not excess.any():
            return labels
        moves = []
        for i in np.flatnonzero(excess[labels]):
            target = max(np.flatnonzero(free), key=lambda k: priced[i, k])
            moves.append((priced[i, labels[i]] - priced[i, target], i, target))
        demand = np.zeros(len(sizes), dtype=int)
        given = np.zeros(len(sizes), dtype=int)
        for _, i, target in sorted(moves):
            source = labels[i]
            given[source] += 1
            if given[source] > excess[source]:
                continue
            demand[target] += 1
            if demand[target] <= free[target]:
                labels[i] = target


def plain_exchange(labels, graph, similarity):
    """Pairs of the same rank between any two clusters; the best pair of both samples goes first."""
    out, moved = labels.copy(), 0
    moves = {
        (i, int(graph[labels[i], p])): similarity[i, p] - similarity[i, 0]
        for i in range(len(labels))
        for p in range(1, graph.shape[1])
    }
    while True:
        pairs = []
        for u in range(len(graph)):
            for v in range(u + 1, len(graph)):
                forth, back = (
                    sorted((i for i, to in moves if labels[i] == a and to == b),
                           key=lambda i: -moves[i, b])
                    for a, b in ((u, v), (v, u))
                )  # fmt: skip
                pairs += [(moves[i, v] + moves[j, u], i, v, j, u)
                          for i, j in zip(forth, back, strict=False)]  # fmt: skip
        pairs = [p for p in pairs if p[0] > 1e-6]
        if not pairs:
            return out, moved
        best = {}
        for total, i, _, j, _ in pairs:
            best[i], best[j] = max(total, best.get(i, 0)), max(total, best.get(j, 0))
        for total, i, v, j, u in pairs:
            if best[i] == best[j] == total:
                out[i], out[j], moved = v, u, moved + 2
                moves = {m: g for m, g in moves.items() if m[0] not in (i, j)}


def plain_means(x, labels, k):
    means = np.zeros((k, x.shape[1]))
    for i, label in enumerate(labels):
        means[label] += x[i]
    return np.stack([m / max(np.linalg.norm(m), 1e-12) for m in means])


def plain_shuffle(x, count, generator):
    return x[torch.randperm(len(x), generator=generator).numpy()[:count]]


def plain_plus_plus(sample, k, generator):
    """Rows drawn by their distance to the chosen rows; the best of several draws is taken."""
    trials = 2 + int(math.log(k))
    draws = torch.rand(k, trials, generator=generator).double().numpy()
    distance, chosen = np.full(len(sample), 2.0), []
    for i in range(k):
        cumulative, best = np.cumsum(distance), None
        for u in draws[i]:
            row = next((r for r, value in enumerate(cumulative) if value >= u * cumulative[-1]), -1)
            nearer = [
                min(distance[j], max(1e-6, 1 - sample[row] @ y)) for j, y in enumerate(sample)
            ]
            if best is None or sum(nearer) < sum(best[1]):
                best = row, nearer
        chosen.append(best[0])
        distance = np.array(best[1])
    return sample[chosen]


def plain_seeds(x, sizes, generator):
    """Soft k-means on a sample at falling temperatures."""
    k, fractions = len(sizes), sizes / sizes.sum()
    sample = plain_shuffle(x, SAMPLE * k, generator)
    centroids = plain_plus_plus(sample[: 20 * k], k, generator)
    factor = np.ones(k)
    for part in np.geomspace(*TEMPERATURES, COOLING):
        similarity = sample @ centroids.T
        tau = part * np.mean([row.std() for row in similarity]) + 1e-6
        kernel = np.exp((similarity - similarity.max(axis=1, keepdims=True)) / tau)
        for _ in range(4):
            demand = sum(row / (row @ factor) for row in kernel)
            factor = fractions * len(sample) / demand
        weights = np.stack([row * factor / (row @ factor) for row in kernel])
        centroids = unit(weights.T @ sample)
    return centroids


def plain_graph(x, labels, centroids, t):
    """The ``t`` clusters nearest to each cluster, itself first, and similarities of samples."""
    k, between = len(centroids), centroids @ centroids.T
    graph = np.array(
        [[a, *sorted((b for b in range(k) if b != a), key=lambda b: -between[a, b])][:t]
         for a in range(k)]
    )  # fmt: skip
    return graph, np.array([[x[i] @ centroids[b] for b in graph[labels[i]]] for i in range(len(x))])


def plain_improve(x, labels, k, rounds):
    for _ in range(rounds):
        graph, similarity = plain_graph(x, labels, plain_means(x, labels, k), min(k, NEAR))
        labels, moved = plain_exchange(labels, graph, similarity)
        if moved < max(2, len(x) // 100):
            break
    return labels


def plain_flat(x, sizes, centroids, max_iter, generator):
    k = len(sizes)
    if k == 1:
        return np.zeros(len(x), dtype=int)
    sample = plain_shuffle(x, SAMPLE * k, generator)
    prices, labels = np.zeros(k), None
    for _ in range(max_iter):
        centroids = centroids if labels is None else plain_means(x, labels, k)
        prices = plain_prices(sample @ centroids.T, prices, sizes / sizes.sum(), 6)
        labels = (x @ centroids.T - prices).argmax(axis=1)
    labels = plain_exact(x, centroids, labels, prices, sizes)
    return plain_improve(x, labels, k, max_iter)


def plain_refine(x, labels, sizes, max_iter, generator):
    k = len(sizes)
    rows = torch.randperm(len(x), generator=generator).numpy()[: SAMPLE * k]
    prices = np.zeros(k)
    for _ in range(max_iter):
        centroids = plain_means(x, labels, k)
        graph = plain_graph(x, labels, centroids, 2 * NEAR)[0]
        allowed = np.zeros((len(rows), k), dtype=bool)
        np.put_along_axis(allowed, graph[labels[rows]], True, axis=1)
        fractions = sizes / sizes.sum()
        prices = plain_prices(x[rows] @ centroids.T, prices, fractions, 5, allowed)
        labels = np.array(
            [max(graph[labels[i]], key=lambda b, i=i: x[i] @ centroids[b] - prices[b])
             for i in range(len(x))]
        )  # fmt: skip
    labels = plain_exact(x, centroids, labels, prices, sizes)
    return plain_improve(x, labels, k, max_iter)


def plain_warm(x, sizes, centroids, max_iter, generator, priced=PRICED):
    k = len(sizes)
    if k <= FLAT:
        return plain_flat(x, sizes, centroids, max_iter, generator)
    prices = np.zeros(k)
    if k <= priced:
        sample = plain_shuffle(x, WARM_SAMPLE * k, generator)
        prices = plain_prices(sample @ centroids.T, prices, sizes / sizes.sum(), 6)
    labels = (x @ centroids.T - prices).argmax(axis=1)
    return plain_refine(x, labels, sizes, max_iter, generator)


def plain_divide(x, sizes, max_iter, generator):
    k = len(sizes)
    if k == 1:
        return np.zeros(len(x), dtype=int)
    if k <= FLAT:
        return plain_flat(x, sizes, plain_seeds(x, sizes, generator), max_iter, generator)
    parts = np.array_split(np.arange(k), min(-(-k // GROUP), FLAT))
    capacity = np.array([sizes[part].sum() for part in parts])
    groups = plain_flat(x, capacity, plain_seeds(x, capacity, generator), max_iter, generator)
    labels = np.zeros(len(x), dtype=int)
    for g, part in enumerate(parts):
        rows = np.flatnonzero(groups == g)
        labels[rows] = part[plain_divide(x[rows], sizes[part], max_iter, generator)]
    return plain_warm(x, sizes, plain_means(x, labels, k), max_iter, generator)
