"""Stages of balanced spherical k-means against float64 loops."""

import numpy as np
import pytest
import torch

from clmle import balanced_spherical_kmeans, clustering
from clmle.clustering import _flat, _improve, _plus_plus, _refine, _seeds, divide, warm_start
from tests import naive_clustering
from tests.naive_clustering import (
    PRICED,
    SMALL,
    plain_divide,
    plain_flat,
    plain_improve,
    plain_means,
    plain_plus_plus,
    plain_refine,
    plain_seeds,
    plain_warm,
    unit,
)


@pytest.fixture(autouse=True)
def small(monkeypatch):
    for name, value in (SMALL | {"PRICED_CLUSTERS": PRICED}).items():
        monkeypatch.setattr(clustering, name, value)


def draw(seed):
    """The same random numbers for the function and the oracle."""
    return torch.Generator().manual_seed(seed)


def even(n, k):
    return np.array([n // k + (i < n % k) for i in range(k)])


def points(n, d, seed):
    rng = np.random.default_rng(seed)
    centers = rng.normal(size=(9, d))
    return unit(centers[rng.integers(9, size=n)] + 0.5 * rng.normal(size=(n, d)))


def tensors(*arrays):
    return tuple(torch.from_numpy(a) if isinstance(a, np.ndarray) else a for a in arrays)


@pytest.mark.parametrize("k", [2, 3, 8, 21])
@pytest.mark.parametrize("seed", [0, 1])
def test_starting_rows_are_the_best_of_several_drawn_by_distance(k, seed):
    sample = points(60, 5, seed)
    got = _plus_plus(torch.from_numpy(sample), k, draw(seed))
    assert got.tolist() == plain_plus_plus(sample, k, draw(seed)).tolist()


def test_starting_rows_of_equal_points_are_those_points():
    sample = torch.ones(4, 1, dtype=torch.float64)
    assert _plus_plus(sample, 3, draw(0)).tolist() == [[1.0]] * 3


@pytest.mark.parametrize(("n", "k"), [(200, 3), (47, 5), (20, 4), (300, 30)])
def test_starting_centroids_are_those_of_annealed_soft_k_means(n, k):
    x, sizes = points(n, 4, n), even(n, k)
    got = _seeds(*tensors(x, sizes), draw(2))
    np.testing.assert_allclose(got.numpy(), plain_seeds(x, sizes, draw(2)), atol=1e-9)


def test_starting_rows_are_drawn_from_20_rows_per_cluster(monkeypatch):
    monkeypatch.setattr(clustering, "SAMPLE", 40)
    monkeypatch.setattr(naive_clustering, "SAMPLE", 40)
    x, sizes = points(100, 4, 1), even(100, 2)
    got = _seeds(*tensors(x, sizes), draw(2))
    np.testing.assert_allclose(got.numpy(), plain_seeds(x, sizes, draw(2)), atol=1e-9)


@pytest.mark.parametrize(("n", "k", "rounds"), [(90, 4, 1), (90, 4, 3), (61, 5, 2), (30, 1, 2)])
def test_a_small_number_of_clusters_is_compared_with_all_samples(n, k, rounds):
    x, sizes = points(n, 4, n), even(n, k)
    start = unit(np.random.default_rng(k).normal(size=(k, 4)))
    got = _flat(*tensors(x, sizes, start), rounds, draw(3))
    assert got.dtype == torch.int64
    assert got.tolist() == plain_flat(x, sizes, start, rounds, draw(3)).tolist()


@pytest.mark.parametrize(("n", "k", "rounds"), [(120, 8, 1), (120, 8, 3), (200, 13, 2)])
def test_many_clusters_are_refined_among_neighbors(n, k, rounds):
    x, sizes = points(n, 4, n), even(n, k)
    labels = np.random.default_rng(k).permutation(np.arange(n) % k)
    got = _refine(*tensors(x, labels, sizes), rounds, draw(4))
    assert got.tolist() == plain_refine(x, labels, sizes, rounds, draw(4)).tolist()


@pytest.mark.parametrize("rounds", [1, 2, 20])
def test_exchanges_continue_while_a_hundredth_of_the_samples_moves(rounds):
    x, k = points(240, 3, 5), 8
    labels = np.random.default_rng(0).permutation(np.arange(240) % k)
    got = _improve(*tensors(x, labels), k, rounds)
    assert got.tolist() == plain_improve(x, labels, k, rounds).tolist()


@pytest.mark.parametrize("priced", [4, 9, 2048])  # below K, K, above
@pytest.mark.parametrize(("n", "k"), [(80, 4), (80, 5), (120, 9)])
def test_clusters_develop_from_given_centroids(n, k, priced, monkeypatch):
    monkeypatch.setattr(clustering, "PRICED_CLUSTERS", priced)
    x, sizes = points(n, 4, n), even(n, k)
    start = unit(np.random.default_rng(k).normal(size=(k, 4)))
    got = warm_start(*tensors(x, sizes, start), 2, draw(6))
    assert got.tolist() == plain_warm(x, sizes, start, 2, draw(6), priced).tolist()
    whole = balanced_spherical_kmeans(x, n_clusters=k, init=start, max_iter=2, seed=6)
    assert whole.labels.tolist() == got.tolist()


@pytest.mark.parametrize(("n", "k"), [(40, 1), (70, 4), (73, 5), (120, 6), (150, 22), (110, 30)])
def test_many_clusters_are_found_in_two_levels(n, k):
    x, sizes = points(n, 4, n), even(n, k)
    got = divide(*tensors(x, sizes), 2, draw(7))
    want = plain_divide(x, sizes, 2, draw(7))
    assert got.tolist() == want.tolist()
    whole = balanced_spherical_kmeans(x, n_clusters=k, max_iter=2, seed=7)
    assert whole.labels.tolist() == want.tolist()
    np.testing.assert_allclose(whole.centroids, plain_means(x, want, k), atol=1e-12)
