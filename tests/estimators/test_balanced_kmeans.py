"""Balanced k-means follows scikit-learn's conventions, keeps sizes and is nearly optimal."""

import pickle

import numpy as np
import pytest
from k_means_constrained import KMeansConstrained
from scipy.optimize import linear_sum_assignment
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.datasets import make_blobs
from sklearn.utils.estimator_checks import parametrize_with_checks

from clmle import BalancedKMeans, BalancedSphericalKMeans, balanced_spherical_kmeans
from clmle.errors import InputError

BOTH = pytest.mark.parametrize("kind", [BalancedKMeans, BalancedSphericalKMeans])


@parametrize_with_checks([BalancedKMeans(max_iter=5), BalancedSphericalKMeans(max_iter=5)])
def test_estimators_pass_scikit_learns_checks(estimator, check):
    check(estimator)


def blobs(n, seed=0, d=6):
    return make_blobs(n, n_features=d, centers=7, cluster_std=3, random_state=seed)[0]


def squares(X, centers):
    return ((X[:, None] - centers) ** 2).sum(axis=2)


def exact_cost(distances, least, most):
    """Smallest sum of distances (n, K) with sizes within bounds, by the Hungarian algorithm."""
    n, k = distances.shape
    columns = np.concatenate(
        [np.repeat(np.arange(k), least), np.repeat(np.arange(k), most - least)]
    )
    unused = np.zeros((len(columns) - n, len(columns)))
    unused[:, : k * least] = 1e6  # only the places above the lower bounds may stay free
    cost = np.concatenate([distances[:, columns], unused])
    rows, chosen = linear_sum_assignment(cost)
    return cost[rows, chosen].sum()


@pytest.mark.parametrize(
    ("n", "k", "least", "most"),
    [(200, 8, 25, 25), (300, 6, 45, 60), (240, 4, 0, 70), (300, 30, 5, 12)],
)
def test_assignment_at_fixed_centers_is_nearly_that_of_least_cost(n, k, least, most):
    X = blobs(n)
    model = BalancedKMeans(k, least, most, random_state=0).fit(X)
    labels = model.predict(X)  # with the bounds of the constructor
    sizes = np.bincount(labels, minlength=k)
    assert least <= sizes.min()
    assert sizes.max() <= most
    distances = squares(X, model.cluster_centers_)
    best = exact_cost(distances, least, most)
    assert best <= distances[np.arange(n), labels].sum() * (1 + 1e-9)
    assert distances[np.arange(n), labels].sum() <= 1.005 * best


@pytest.mark.parametrize(
    ("n", "k", "least", "most"),
    [(200, 8, 25, 25), (300, 5, 20, 100), (240, 4, 0, 70), (600, 50, 6, 20)],
)
def test_inertia_and_sizes_are_those_of_the_known_package(n, k, least, most):
    X = blobs(n, seed=1)
    given = {"n_clusters": k, "size_min": least, "size_max": most, "random_state": 0}
    ours = BalancedKMeans(**given, n_init=3, n_jobs=-1, copy_x=True, tol=1e-4, verbose=False).fit(X)
    theirs = KMeansConstrained(**given, n_init=3).fit(X)
    sizes = np.bincount(ours.labels_, minlength=k)
    assert least <= sizes.min()
    assert sizes.max() <= most
    want = squares(X, theirs.cluster_centers_)[np.arange(n), theirs.labels_].sum()
    assert ours.inertia_ <= 1.03 * want
    means = np.stack([X[ours.labels_ == c].mean(axis=0) for c in range(k)])
    np.testing.assert_allclose(ours.cluster_centers_, means, rtol=1e-6)
    got = squares(X, means)[np.arange(n), ours.labels_].sum()
    np.testing.assert_allclose(ours.inertia_, got, rtol=1e-6)


def test_without_effective_bounds_it_is_k_means():
    X = blobs(400, seed=2)
    ours = BalancedKMeans(7, size_min=0, n_init=3, max_iter=30, random_state=0).fit(X)
    theirs = KMeans(7, n_init=3, random_state=0).fit(X)
    assert ours.inertia_ <= 1.01 * theirs.inertia_
    nearest = squares(X, ours.cluster_centers_).argmin(axis=1)
    assert (ours.labels_ == nearest).mean() > 0.99


@BOTH
def test_default_sizes_differ_by_at_most_one(kind):
    for n, k in ((103, 8), (1000, 90)):
        sizes = np.bincount(kind(k, max_iter=5, random_state=0).fit_predict(blobs(n)), minlength=k)
        assert sizes.max() - sizes.min() <= 1


def test_on_the_sphere_it_is_the_function_of_the_package():
    X = np.random.default_rng(0).normal(size=(700, 9))
    model = BalancedSphericalKMeans(13, random_state=0).fit(X)
    seeds = np.random.RandomState(0).randint(2**31 - 1)
    found = balanced_spherical_kmeans(X, n_clusters=13, seed=int(seeds))
    assert model.labels_.tolist() == found.labels.tolist()
    np.testing.assert_allclose(model.inertia_, 2 * 700 * (1 - found.objective), rtol=1e-6)
    chords = model.transform(X)[np.arange(700), model.labels_]
    np.testing.assert_allclose((chords**2).sum(), model.inertia_, rtol=1e-6)


@BOTH
@pytest.mark.parametrize("bounds", [{}, {"size_min": 150, "size_max": 300}])
@pytest.mark.parametrize("ordered", [False, True])
def test_one_pass_over_a_memory_map_keeps_sizes_and_is_nearly_as_good(
    kind, bounds, ordered, tmp_path
):
    X = blobs(4000, seed=3).astype(np.float32)
    X = X[np.argsort(X[:, 0])] if ordered else X
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    whole = kind(20, **bounds, random_state=0).fit(X)
    model = kind(20, **bounds, batch_size=1500, random_state=0).fit(mapped)
    sizes = np.bincount(model.labels_, minlength=20)
    least, most = bounds.get("size_min", 200), bounds.get("size_max", 200)
    assert least <= sizes.min()
    assert sizes.max() <= most
    assert model.inertia_ <= 1.03 * whole.inertia_
    got = model.transform(X)[np.arange(4000), model.labels_]
    np.testing.assert_allclose(model.inertia_, (got.astype(float) ** 2).sum(), rtol=1e-4)


def test_bounds_of_predict_replace_those_of_the_constructor():
    X = blobs(120)
    model = BalancedKMeans(4, size_min=30, size_max=30, random_state=0).fit(X)
    assert np.bincount(model.predict(X[:80], size_min=20, size_max=20)).tolist() == [20] * 4
    free = model.predict(X[:50], size_min=None, size_max=None)
    assert free.tolist() == squares(X[:50], model.cluster_centers_).argmin(axis=1).tolist()
    with pytest.raises(InputError, match="50 samples cannot form 4 clusters"):
        model.predict(X[:50])


def test_large_offsets_and_units_do_not_matter():
    X = blobs(300, seed=4)
    a = BalancedKMeans(6, random_state=0).fit(X)
    b = BalancedKMeans(6, random_state=0).fit(1e5 * X + 1e9)
    assert (a.labels_ == b.labels_).mean() > 0.99
    np.testing.assert_allclose(b.inertia_, 1e10 * a.inertia_, rtol=1e-3)


@BOTH
def test_given_centers_clones_and_pickles(kind):
    X = blobs(200)
    first = kind(5, random_state=0).fit(X)
    again = kind(5, init=first.cluster_centers_, max_iter=3).fit(X)
    assert (again.labels_ == first.labels_).mean() > 0.9  # cluster k develops from center k
    copy = pickle.loads(pickle.dumps(clone(first).fit(X)))
    assert copy.predict(X).tolist() == first.predict(X).tolist()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"n_clusters": 101}, "n_samples=100 should be n_clusters=101 or more"),
        ({"size_min": 30}, "size_min is at most 25"),
        ({"size_max": 20}, "size_max at least 25"),
        ({"init": "random"}, "init is 'random'"),
        ({"init": np.eye(3)}, "init must hold one finite center"),
        ({"batch_size": 3}, "batch_size is 3"),
        ({"max_iter": 0}, "max_iter"),
    ],
)
def test_errors_name_what_is_wrong(options, words):
    with pytest.raises(InputError, match=words):
        BalancedKMeans(**{"n_clusters": 4, **options}).fit(blobs(100))


def test_a_batch_with_nan_is_refused():
    X = blobs(100)
    X[70, 0] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        BalancedKMeans(4, batch_size=50, random_state=0).fit(X)
