"""Steps of a balanced assignment against float64 loops."""

import numpy as np
import pytest
import torch

from clmle._balance import (
    _cheapest_move,
    _disjoint,
    _matched_pairs,
    _promising_moves,
    _rank_sorted,
    balance,
    best_priced,
    exact_sizes,
    exchange,
    nearest_by_graph,
    rank_within,
    smoothed,
    update_prices,
    update_prices_sparse,
)
from tests.naive_clustering import plain_exact, plain_exchange, plain_prices, plain_smoothed, unit

N, K, D = 90, 7, 4


@pytest.fixture(params=[1, 40, 1 << 20])  # entries of a block
def world(request, monkeypatch):
    """x (n, d), centroids (K, d), labels (n,) of unequal clusters, prices (K,)."""
    monkeypatch.setattr("clmle._balance.BLOCK", request.param)
    rng = np.random.default_rng(0)
    x, centroids = unit(rng.normal(size=(N, D))), unit(rng.normal(size=(K, D)))
    labels = rng.choice(K, N, p=[0.3, 0.2, 0.2, 0.1, 0.1, 0.1, 0.0])  # the last is empty
    return tuple(map(torch.from_numpy, (x, centroids, labels, rng.normal(0, 0.1, K))))


def test_each_sample_gets_the_cluster_of_largest_similarity_minus_price(world):
    x, centroids, _, prices = world
    want = (x.numpy() @ centroids.numpy().T - prices.numpy()).argmax(axis=1)
    assert best_priced(x, centroids, prices).tolist() == want.tolist()


@pytest.mark.parametrize("t", [1, 3, K])
def test_neighbors_of_clusters_and_similarities_to_them(world, t):
    x, centroids, labels, _ = world
    graph, similarity = nearest_by_graph(x, labels, centroids, t)
    assert graph.dtype == torch.int64
    between = centroids.numpy() @ centroids.numpy().T
    for k in range(K):
        others = sorted((j for j in range(K) if j != k), key=lambda j: -between[k, j])
        assert graph[k].tolist() == [k, *others][:t]
    want = np.einsum("nd,ntd->nt", x.numpy(), centroids.numpy()[graph.numpy()[labels.numpy()]])
    np.testing.assert_allclose(similarity.numpy(), want, atol=1e-12)


def test_kernel_is_1_at_the_best_cluster_and_decays_with_the_deviation():
    similarity = np.random.default_rng(1).normal(size=(20, 5))
    kernel, tau = smoothed(torch.from_numpy(similarity), 0.3)
    want, want_tau = plain_smoothed(similarity, 0.3)
    np.testing.assert_allclose(kernel.numpy(), want, rtol=1e-9)
    assert tau == pytest.approx(want_tau)
    same, tau = smoothed(torch.ones(3, 4, dtype=torch.float64), 0.3)  # rows without variance
    assert (same == 1).all()
    assert tau == pytest.approx(1e-6)


def test_prices_are_those_of_sinkhorns_iteration(world):
    x, centroids, _, prices = world
    fractions = np.arange(1, K + 1) / np.arange(1, K + 1).sum()
    similarity = x @ centroids.T
    for options, rounds in (({}, 6), ({"rounds": 2}, 2)):
        got = update_prices(similarity, prices, torch.from_numpy(fractions), **options)
        want = plain_prices(similarity.numpy(), prices.numpy(), fractions, rounds)
        np.testing.assert_allclose(got.numpy(), want, atol=1e-9)


def test_prices_of_rows_compared_with_nearby_clusters_only(world):
    x, centroids, _, prices = world
    rng = np.random.default_rng(2)
    near = np.stack([rng.permutation(K)[:4] for _ in range(N)])
    fractions = np.full(K, 1 / K)
    similarity = (x @ centroids.T).numpy()
    allowed = np.zeros((N, K), dtype=bool)
    np.put_along_axis(allowed, near, True, axis=1)
    seen = torch.from_numpy(np.take_along_axis(similarity, near, axis=1))
    for options, rounds in (({}, 5), ({"rounds": 1}, 1)):
        got = update_prices_sparse(
            torch.from_numpy(near), seen, prices, torch.from_numpy(fractions), **options
        )
        want = plain_prices(similarity, prices.numpy(), fractions, rounds, allowed)
        np.testing.assert_allclose(got.numpy(), want, atol=1e-9)


def test_factors_give_each_column_its_fraction():
    kernel = torch.rand(50, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    fractions = torch.tensor([0.1, 0.2, 0.3, 0.4], dtype=torch.float64)
    factor = balance(kernel, torch.ones(4, dtype=torch.float64), fractions, 200)
    parts = kernel * factor
    np.testing.assert_allclose((parts / parts.sum(dim=1, keepdim=True)).mean(dim=0), fractions)
    start = torch.tensor([1e-30, 1.0, 1.0, 1e30], dtype=torch.float64)
    assert balance(kernel, start, fractions, 0).tolist() == [1e-12, 1, 1, 1e12]


def test_price_of_a_column_without_demand_is_finite():
    kernel = torch.tensor([[1.0, 0.0]] * 5, dtype=torch.float64)
    half = torch.tensor([0.5, 0.5], dtype=torch.float64)
    factor = balance(kernel, torch.ones(2, dtype=torch.float64), half, 3)
    assert factor[0].item() == pytest.approx(0.5**3)  # each iteration halves the demand of 5 rows
    assert factor[1].item() == pytest.approx(1e12)
    near = torch.zeros(5, 1, dtype=torch.int64)
    ones = torch.ones(5, 1, dtype=torch.float64)
    prices = update_prices_sparse(near, ones, torch.zeros(2, dtype=torch.float64), half)
    assert torch.isfinite(prices).all()
    assert prices[1] < prices[0]
    # log of the fraction of 5 rows over a demand of 1e-6 rows
    assert prices[1].item() == pytest.approx(-1e-6 * np.log(0.5 * 5 / 1e-6))


def test_surplus_samples_move_at_the_lowest_cost(world):
    x, centroids, labels, prices = world
    sizes = torch.tensor([13, 13, 13, 13, 13, 13, 12])
    got = exact_sizes(x, centroids, labels, prices, sizes)
    want = plain_exact(*(t.numpy() for t in (x, centroids, labels, prices, sizes)))
    assert got.tolist() == want.tolist()
    assert torch.bincount(got).tolist() == sizes.tolist()
    assert labels.bincount(minlength=K)[6] == 0  # the input is unchanged
    assert exact_sizes(x, centroids, got, prices, sizes).tolist() == got.tolist()


def test_cheapest_move_and_its_cost(world):
    x, centroids, labels, prices = world
    rows, free = torch.tensor([3, 50, 8, 9, 77]), torch.tensor([1, 4, 6])
    target, cost = _cheapest_move(x, centroids, prices, labels, rows, free)
    priced = (x @ centroids.T - prices).numpy()
    for i, (row, to) in enumerate(zip(rows.tolist(), target.tolist(), strict=True)):
        assert to == max((1, 4, 6), key=lambda k: priced[row, k])
        assert cost[i].item() == pytest.approx(priced[row, labels[row]] - priced[row, to])


@pytest.mark.parametrize("t", [2, 4, K])
@pytest.mark.parametrize("seed", range(4))
def test_exchanges_are_those_of_a_plain_search(seed, t):
    rng = np.random.default_rng(seed)
    x, centroids = unit(rng.normal(size=(N, D))), unit(rng.normal(size=(K, D)))
    labels = rng.permutation(np.arange(N) % K)
    graph, similarity = nearest_by_graph(*map(torch.from_numpy, (x, labels, centroids)), t)
    got, moved = exchange(torch.from_numpy(labels), graph, similarity)
    want, number = plain_exchange(labels, graph.numpy(), similarity.numpy())
    assert got.tolist() == want.tolist()
    assert moved == number == (want != labels).sum()
    assert moved > 0


@pytest.mark.parametrize("t", [1, 2, 4, K])
@pytest.mark.parametrize("seed", range(3))
def test_moves_without_a_gainful_opposite_move_are_left_out(seed, t):
    rng = np.random.default_rng(seed)
    labels = rng.integers(K - 1, size=20)  # the last cluster is empty: no move comes from it
    graph = np.stack([[k, *rng.permutation([j for j in range(K) if j != k])][:t] for k in range(K)])
    gain = rng.integers(-3, 3, size=(20, t)) / 4  # sums of exactly 0 occur: no gain
    gain[:, 0] = 0
    best = {}
    for i in range(20):
        for p in range(1, t):
            way = labels[i], graph[labels[i], p]
            best[way] = max(gain[i, p], best.get(way, -np.inf))
    wanted = {
        (i, p)
        for i in range(20)
        for p in range(1, t)
        if gain[i, p] + best.get((graph[labels[i], p], labels[i]), -np.inf) > 0
    }
    found = _promising_moves(*map(torch.from_numpy, (labels, graph, gain)))
    assert set(zip(*(part.tolist() for part in found), strict=True)) == wanted


def test_equal_gains_move_each_sample_once_and_zero_gains_move_none():
    labels = torch.tensor([0, 0, 1, 1])
    graph = torch.tensor([[0, 1], [1, 0]])
    stay = torch.tensor([[1.0, 0.0]] * 4, dtype=torch.float64)
    assert exchange(labels, graph, stay)[1] == 0
    assert exchange(labels, graph[:, :1], stay[:, :1])[1] == 0
    out, moved = exchange(labels, graph, 1 - stay)
    assert moved == 4
    assert out.tolist() == [1, 1, 0, 0]
    barely = torch.tensor([[1.0, 1.0 + 4e-7]] * 4, dtype=torch.float64)  # noise, not a gain
    assert exchange(labels, graph, barely)[1] == 0


def test_pairs_have_opposite_directions_and_the_same_rank():
    source = torch.tensor([0, 0, 0, 2, 1, 1, 2, 0])
    target = torch.tensor([1, 1, 1, 0, 0, 0, 1, 2])
    gain = torch.tensor([0.1, 0.9, 0.5, 0.3, 0.2, 0.7, 0.4, -0.2])
    a, b = _matched_pairs(source, target, gain, 3)
    assert set(zip(a.tolist(), b.tolist(), strict=True)) == {(1, 5), (2, 4), (7, 3)}
    for kept in (source < target, source > target):
        a, b = _matched_pairs(source[kept], target[kept], gain[kept], 3)
        assert len(a) == len(b) == 0


@pytest.mark.parametrize("n", [2, 3, 5, 40])
@pytest.mark.parametrize("seed", range(12))
def test_pairs_are_those_of_plain_lists(n, seed):
    """The moves of both directions between two clusters are paired in order of gain."""
    rng = np.random.default_rng([n, seed])
    k = int(rng.integers(2, 5))
    source = rng.integers(k, size=n)
    target = (source + rng.integers(1, k, size=n)) % k
    gain = rng.permutation(n) / n
    wanted = set()
    for low in range(k):
        for high in range(low + 1, k):
            ways = [np.flatnonzero((source == a) & (target == b))
                    for a, b in ((low, high), (high, low))]  # fmt: skip
            forth, back = (list(way[np.argsort(-gain[way])]) for way in ways)
            wanted |= set(zip(forth, back, strict=False))
    found = _matched_pairs(*map(torch.from_numpy, (source, target, gain)), k)
    assert set(zip(*(rows.tolist() for rows in found), strict=True)) == wanted
    assert len(found[0]) == len(wanted)


def test_each_sample_is_in_its_best_pair_only():
    first, second = torch.tensor([0, 0, 3, 5]), torch.tensor([1, 2, 4, 2])
    chosen = _disjoint(first, second, torch.tensor([1.0, 3.0, 2.0, 2.5]), 6)
    assert chosen.tolist() == [1, 2]
    same = _disjoint(first, second, torch.tensor([2.0, 2.0, 2.0, 2.0]), 6)
    assert same.tolist() == [0, 2]  # the first pair of each sample among equal totals
    crossed = _disjoint(torch.tensor([0, 2]), torch.tensor([1, 0]), torch.tensor([1.0, 1.0]), 3)
    assert crossed.tolist() == [0]


def test_ranks_count_earlier_entries_of_the_same_group():
    groups = torch.tensor([4, 2, 4, 4, 0, 2, 0, 4])
    want = [groups[:i].tolist().count(g) for i, g in enumerate(groups.tolist())]
    assert rank_within(groups).tolist() == want
    assert _rank_sorted(groups.sort().values).tolist() == [0, 1, 0, 1, 0, 1, 2, 3]
    assert rank_within(torch.tensor([7])).tolist() == [0]
