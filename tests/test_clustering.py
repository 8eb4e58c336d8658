"""Balanced spherical k-means: sizes, centroids, and quality against exact and other solvers."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from clmle import InputError, _balance, balanced_spherical_kmeans
from clmle._balance import best_priced, exact_sizes, exchange, nearest_by_graph, update_prices
from clmle.clustering import unit_means


def unit(x):
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def modes(n, d, k, noise, seed):
    """Points around k directions."""
    rng = np.random.default_rng(seed)
    centers = rng.normal(size=(k, d))
    return unit(centers[rng.integers(k, size=n)] + noise * rng.normal(size=(n, d)))


def objective(x, labels, k):
    sums = np.zeros((k, x.shape[1]))
    np.add.at(sums, labels, x)
    return np.linalg.norm(sums, axis=1).sum() / len(x)


@settings(deadline=None, max_examples=60)
@given(
    n=st.integers(1, 400),
    d=st.integers(1, 6),
    k=st.integers(1, 60),
    seed=st.integers(0, 100),
    copies=st.booleans(),
)
def test_partition_into_equal_sizes_with_true_centroids(n, d, k, seed, copies):
    k = min(k, n)
    x = np.random.default_rng(seed).normal(size=(n, d))
    if copies:
        x[:] = x[:1]
    got = balanced_spherical_kmeans(x, n_clusters=k, seed=seed, max_iter=3)
    assert got.labels.shape == (n,)
    counts = np.bincount(got.labels, minlength=k)
    assert (counts == got.sizes).all()
    assert counts.max() - counts.min() <= 1
    sums = np.zeros((k, d))
    np.add.at(sums, got.labels, unit(x))
    norms = np.linalg.norm(sums, axis=1, keepdims=True)
    kept = norms[:, 0] > 1e-6
    np.testing.assert_allclose(got.centroids[kept], (sums / norms)[kept], atol=1e-5)
    assert got.objective == pytest.approx(objective(unit(x), got.labels, k), abs=1e-6)


@pytest.mark.parametrize("n", [199, 200, 399, 400, 1000])
def test_number_of_clusters_is_the_floor_of_the_papers_quotient(n):
    got = balanced_spherical_kmeans(np.random.default_rng(0).normal(size=(n, 4)))
    assert len(got.sizes) == max(1, n // 200)


@pytest.mark.parametrize("seed", range(5))
def test_assignment_is_close_to_the_exact_optimum(seed):
    """Prices, repair and exchanges against the exact assignment to equal centroids."""
    n, k = 240, 8
    x = modes(n, 6, 5, 0.6, seed)
    centroids = unit(np.random.default_rng(seed).normal(size=(k, 6)))
    similarity = x @ centroids.T
    rows, columns = linear_sum_assignment(-np.repeat(similarity, n // k, axis=1))
    exact = similarity[rows, columns // (n // k)].sum()
    t, mu = torch.from_numpy(x), torch.from_numpy(centroids)
    sizes = torch.full((k,), n // k)
    prices = torch.zeros(k, dtype=torch.float64)
    for _ in range(10):
        prices = update_prices(t @ mu.T, prices, torch.full((k,), 1 / k, dtype=torch.float64))
    labels = exact_sizes(t, mu, best_priced(t, mu, prices), prices, sizes)
    for _ in range(10):  # at fixed centroids
        graph, near = _graph_at(t, labels, mu)
        labels, _ = exchange(labels, graph, near)
    got = similarity[np.arange(n), labels.numpy()].sum()
    assert got >= 0.995 * exact
    assert (torch.bincount(labels) == n // k).all()


def _graph_at(x, labels, centroids):
    return nearest_by_graph(x, labels, centroids, len(centroids))


def test_exchange_keeps_sizes_and_never_lowers_the_objective():
    x = torch.from_numpy(modes(600, 8, 7, 0.5, 1))
    labels = torch.arange(600) % 12
    for _ in range(5):
        centroids = unit_means(x, labels, 12)
        before = float((x * centroids[labels]).sum())
        graph, similarity = nearest_by_graph(x, labels, centroids, 6)
        labels, moved = exchange(labels, graph, similarity)
        assert (torch.bincount(labels) == 50).all()
        assert float((x * centroids[labels]).sum()) >= before - 1e-9
    assert moved < 600


@pytest.mark.parametrize(("n", "k"), [(2000, 10), (4000, 20)])
def test_objective_is_near_k_means_constrained(n, k):
    from k_means_constrained import KMeansConstrained

    x = modes(n, 32, 15, 0.8, 0)
    peer = KMeansConstrained(
        k, size_min=n // k, size_max=n // k, n_init=1, max_iter=10, random_state=0
    ).fit(x)
    got = balanced_spherical_kmeans(x, n_clusters=k)
    assert got.objective >= 0.99 * objective(x, peer.labels_, k)


def test_objective_of_many_clusters_is_close_to_that_without_size_constraints():
    import faiss

    x = modes(12_000, 16, 90, 0.5, 3).astype(np.float32)
    free = faiss.Kmeans(16, 60, niter=10, spherical=True, seed=1, max_points_per_centroid=10**6)
    free.train(x)
    best = float(free.index.search(x, 1)[0].mean())
    assert balanced_spherical_kmeans(x).objective >= 0.97 * best


def test_warm_start_keeps_the_identity_of_clusters():
    x = modes(3000, 16, 15, 0.3, 0)
    first = balanced_spherical_kmeans(x, seed=1)
    again = balanced_spherical_kmeans(x, init=first.centroids, seed=2)
    assert (again.labels == first.labels).mean() > 0.9
    order = np.random.default_rng(0).permutation(15)
    moved = balanced_spherical_kmeans(x, init=first.centroids[order], seed=2)
    assert (order[moved.labels] == first.labels).mean() > 0.9


def test_warm_start_from_centroids_moved_towards_all_samples_needs_few_repairs(monkeypatch):
    # The state after batches: features have a common direction, and some centroids follow it.
    rng = np.random.default_rng(0)
    common = np.eye(16)[0]
    x = (common + 0.05 * rng.standard_normal((6000, 16))).astype(np.float32)
    cold = balanced_spherical_kmeans(x, cluster_size=50)
    moved = cold.centroids.copy()
    drawn = rng.random(len(moved)) < 0.5
    moved[drawn] = 0.3 * moved[drawn] - 0.7 * common  # the other clusters then take all samples
    passes = []
    whole = _balance._cheapest_move
    monkeypatch.setattr(
        _balance, "_cheapest_move", lambda *a: passes.append(len(a[4])) or whole(*a)
    )
    warm = balanced_spherical_kmeans(x, cluster_size=50, init=moved, max_iter=3)
    assert warm.sizes.tolist() == [50] * 120
    assert 1 - warm.objective < 1.02 * (1 - cold.objective)
    # Surplus samples that were moved over all passes: 40 times as many without first prices.
    assert sum(passes) < 2 * len(x)


def test_equal_seeds_give_equal_clusters_for_arrays_and_tensors():
    x = modes(2500, 8, 9, 0.5, 0).astype(np.float32)
    a, b = (balanced_spherical_kmeans(x, 50, seed=3) for _ in range(2))
    t = balanced_spherical_kmeans(torch.from_numpy(x), 50, seed=3)
    assert (a.labels == b.labels).all()
    assert isinstance(t.labels, torch.Tensor)
    assert (t.labels.numpy() == a.labels).all()


def test_results_do_not_depend_on_the_block_size(monkeypatch):
    x = modes(3000, 8, 50, 0.4, 0)
    whole = balanced_spherical_kmeans(x, 50)
    monkeypatch.setattr("clmle._balance.BLOCK", 4096)
    assert (balanced_spherical_kmeans(x, 50).labels == whole.labels).mean() > 0.999


ONES = np.ones((3, 2))
NOT_ROWS = "features must be (rows, dimensions), not {}."


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"features": np.ones(3)}, NOT_ROWS.format("(3,)")),
        ({"features": np.ones((0, 2))}, NOT_ROWS.format("(0, 2)")),
        ({"features": torch.ones(2, 0)}, NOT_ROWS.format("(2, 0)")),
        (
            {"features": np.full((3, 2), np.nan)},
            "features must be finite, but holds NaN or infinity; clean it first.",
        ),
        (
            {"features": torch.ones(3, 2, dtype=torch.complex64)},
            "features must be real numbers, but are of type torch.complex64.",
        ),
        ({"features": [["a"]]}, "features must be real numbers, but are of type <U1."),
        (
            {"features": torch.ones(3, 2).to_sparse()},
            "features must be a dense tensor that holds its numbers; give it as .to_dense() or "
            ".float() makes it.",
        ),
        (
            {"features": ONES, "n_clusters": 4},
            "n_clusters is 4, but must be from 1 to the number of rows (3).",
        ),
        (
            {"features": ONES, "n_clusters": 0},
            "n_clusters is 0, but must be from 1 to the number of rows (3).",
        ),
        ({"features": ONES, "n_clusters": 1.5}, "n_clusters is 1.5, but must be a whole number."),
        (
            {"features": ONES, "cluster_size": 0},
            "cluster_size is 0, but must be a whole number of 1 or more.",
        ),
        (
            {"features": ONES, "n_clusters": 2, "init": ONES},
            "init must hold one centroid for each of the 2 clusters, shape (2, 2), not (3, 2).",
        ),
        (
            {"features": ONES, "n_clusters": 3, "init": np.full((3, 2), np.inf)},
            "init must be finite, but holds NaN or infinity; clean it first.",
        ),
        (
            {"features": ONES, "max_iter": 0},
            "max_iter is 0, but must be a whole number of 1 or more.",
        ),
    ],
)
def test_bad_input_raises_one_sentence(arguments, sentence):
    with pytest.raises(InputError) as reported:
        balanced_spherical_kmeans(**arguments)
    assert str(reported.value) == sentence


def test_float_types_are_kept_and_integers_become_float32():
    x = modes(60, 4, 3, 0.5, 0)
    for kind, kept in (
        (np.float32, np.float32),
        (np.float64, np.float64),
        (np.float16, np.float32),
        (np.int64, np.float32),
    ):
        got = balanced_spherical_kmeans((9 * x).astype(kind), 20)
        assert got.centroids.dtype == kept
        assert (got.labels.dtype, got.sizes.dtype) == (np.int64, np.int64)
        tensor = balanced_spherical_kmeans(torch.from_numpy((9 * x).astype(kind)), 20)
        assert tensor.centroids.dtype == torch.from_numpy(np.empty(0, kept)).dtype
        assert tensor.sizes.dtype == tensor.labels.dtype == torch.int64
        assert tensor.labels.tolist() == got.labels.tolist()
        assert tensor.objective == pytest.approx(got.objective)
    assert balanced_spherical_kmeans(x.tolist(), 20).centroids.dtype == np.float64


def test_row_lengths_have_no_effect_and_a_zero_row_stays_zero():
    x = modes(90, 4, 3, 0.5, 0)
    lengths = np.random.default_rng(0).uniform(0.1, 9, (90, 1))
    plain, stretched = (balanced_spherical_kmeans(y, 30) for y in (x, lengths * x))
    assert plain.labels.tolist() == stretched.labels.tolist()
    start = 7 * plain.centroids
    warm = balanced_spherical_kmeans(x, 30, init=start, max_iter=1)
    assert warm.labels.tolist() == balanced_spherical_kmeans(
        x, 30, init=start / 7, max_iter=1
    ).labels.tolist()  # fmt: skip
    x[:3] = 0
    got = balanced_spherical_kmeans(x, 30)
    assert got.objective == pytest.approx(objective(x, got.labels, 3))


def test_defaults_are_200_samples_per_cluster_15_iterations_and_seed_0():
    x = modes(900, 6, 9, 0.8, 0)
    said = balanced_spherical_kmeans(x, 200, None, init=None, max_iter=15, seed=0)
    assert balanced_spherical_kmeans(x).labels.tolist() == said.labels.tolist()
    assert said.sizes.tolist() == [225] * 4
    for other in ({"seed": 1}, {"max_iter": 1}):
        assert balanced_spherical_kmeans(x, **other).labels.tolist() != said.labels.tolist()
    assert balanced_spherical_kmeans(x, n_clusters=7).sizes.tolist() == [129] * 4 + [128] * 3
