"""The cluster index against plain loops: members, refreshes, moved centroids, cached losses."""

import numpy as np
import pytest

from clmle import InputError, balanced_spherical_kmeans
from clmle.cluster_index import ClusterIndex, _largest

RNG = np.random.default_rng(0)
LABELS = RNG.permutation(np.repeat([0, 1, 3, 4], [40, 1, 23, 9]))  # class 2 is empty


def unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def features(seed=1, d=6):
    return unit(np.random.default_rng(seed).normal(size=(len(LABELS), d))).astype(np.float32)


@pytest.fixture
def index():
    return ClusterIndex.build(features(), LABELS, 10, min_clusters=2)


def test_number_of_clusters_follows_the_class_size(index):
    assert np.bincount(index.classes).tolist() == [4, 1, 0, 2, 2]
    assert index.n_clusters == 9
    assert index.counts.tolist() == [40, 1, 0, 23, 9]
    assert index.present.tolist() == [0, 1, 3, 4]
    assert [index.clusters_of(c).tolist() for c in range(5)] == [
        [0, 1, 2, 3], [4], [], [5, 6], [7, 8],
    ]  # fmt: skip
    plain = ClusterIndex.empty(LABELS, 6)  # 200 images per cluster, at least one cluster
    assert plain.classes.tolist() == [0, 1, 3, 4]
    assert (plain.cluster_size, plain.min_clusters) == (200, 1)
    assert ClusterIndex.build(features(), LABELS).cluster_size == 200


def test_empty_index_has_no_assignment_and_no_losses():
    index = ClusterIndex.empty(LABELS.tolist(), 3, 10, 2)
    assert index.centroids.shape == (9, 3)
    assert index.centroids.dtype == np.float32
    assert (index.centroids == 0).all()
    assert (index.assignment == 0).all()
    assert index.assignment.dtype == index.labels.dtype == np.int64
    assert np.isnan(index.losses).all()
    assert index.losses.shape == (len(LABELS),)


@pytest.mark.parametrize(("size", "least"), [(0, 1), (1, 0), (-3, 2)])
def test_sizes_below_one_are_named(size, least):
    with pytest.raises(InputError, match=f"cluster_size is {size} and min_clusters {least}; both"):
        ClusterIndex.empty(LABELS, 3, size, least)
    assert ClusterIndex.empty(LABELS, 3, 1, 1).n_clusters == len(LABELS)


def test_members_and_sizes_are_those_of_a_plain_search(index):
    for c in range(5):
        np.testing.assert_array_equal(index.of_class(c), np.flatnonzero(c == LABELS))
    for k in range(index.n_clusters):
        np.testing.assert_array_equal(index.members(k), np.flatnonzero(index.assignment == k))
    plain = np.bincount(index.assignment, minlength=index.n_clusters)
    np.testing.assert_array_equal(index.sizes, plain)
    np.testing.assert_array_equal(index.sizes_of(np.array([6, 0])), plain[[6, 0]])
    parts = [(rows.tolist(), first, last) for rows, first, last in index.parts()]
    spans = ((0, 0, 4), (1, 4, 5), (3, 5, 7), (4, 7, 9))
    assert parts == [(np.flatnonzero(c == LABELS).tolist(), a, b) for c, a, b in spans]


def test_refresh_clusters_each_class_separately():
    old, new = features(1), features(2)
    index = ClusterIndex.build(old, LABELS, 10, seed=5)
    rows = np.flatnonzero(LABELS == 0)
    cold = balanced_spherical_kmeans(old[rows], n_clusters=4, seed=5)
    np.testing.assert_array_equal(index.assignment[rows], cold.labels)
    np.testing.assert_allclose(index.centroids[:4], cold.centroids, atol=1e-6)
    first = index.centroids[:4].copy()
    index.refresh(new, seed=6)
    warm = balanced_spherical_kmeans(new[rows], n_clusters=4, init=first, max_iter=3, seed=6)
    np.testing.assert_array_equal(index.assignment[rows], warm.labels)
    np.testing.assert_allclose(index.centroids[:4], warm.centroids, atol=1e-6)
    np.testing.assert_array_equal(index.members(0), rows[warm.labels == 0])
    index.refresh(old, seed=5, warm=False)
    np.testing.assert_array_equal(index.assignment[rows], cold.labels)


def test_defaults_are_seed_0_and_a_warm_start():
    index, same = (ClusterIndex.build(features(1), LABELS, 10, **s) for s in ({}, {"seed": 0}))
    np.testing.assert_array_equal(index.centroids, same.centroids)
    index.refresh(features(2))
    same.refresh(features(2), seed=0, warm=True)
    np.testing.assert_array_equal(index.centroids, same.centroids)


def test_a_class_with_zero_mean_is_clustered():
    labels = np.array([0, 0, 1, 1, 2, 2])
    f = np.array([[1, 0], [-1, 0], [0, 1], [0, 1], [1e-4, 0], [0, 0]], dtype=np.float32)
    index = ClusterIndex.build(f, labels)
    assert index.assignment.tolist() == labels.tolist()
    np.testing.assert_allclose(index.centroids[1:], [[0, 1], [1, 0]], atol=1e-6)
    alone = balanced_spherical_kmeans(f[:2], n_clusters=1)
    np.testing.assert_array_equal(index.centroids[0], alone.centroids[0])
    with pytest.raises(InputError, match="finite"):
        ClusterIndex.build(np.where(f == 1, np.nan, f), labels)


def test_recenter_gives_normalized_means_in_a_new_space(index):
    before = index.assignment.copy()
    wide = features(3, d=11)
    index.recenter(0.01 * wide)
    assert index.centroids.dtype == np.float32
    assert index.centroids.shape == (9, 11)
    for k in range(9):
        want = unit(wide[before == k].astype(np.float64).sum(axis=0))
        np.testing.assert_allclose(index.centroids[k], want, atol=1e-6)
    np.testing.assert_array_equal(index.assignment, before)
    index.recenter(np.zeros_like(wide))  # a zero mean gives zero, not NaN
    assert (index.centroids == 0).all()


@pytest.mark.parametrize("momentum", [0.0, 0.3, 0.9, 1.0])
def test_move_interpolates_between_centroid_and_batch_mean(index, momentum):
    old = index.centroids.astype(np.float64)
    seen, clusters = features(4)[:7], np.array([5, 0, 5, 8, 0, 5, 2])
    index.move(clusters, seen, momentum)
    for k in range(9):
        want = old[k]
        if k in clusters:
            want = unit(momentum * old[k] + (1 - momentum) * seen[clusters == k].mean(axis=0))
        np.testing.assert_allclose(index.centroids[k], want, atol=1e-6)


def test_a_move_to_a_zero_mean_is_zero_not_nan(index):
    index.move(np.array([3, 3]), np.array([[1.0] * 6, [-1.0] * 6], dtype=np.float32), 0.0)
    assert (index.centroids[3] == 0).all()


def test_cluster_losses_are_means_over_recorded_samples(index):
    rng = np.random.default_rng(2)
    rows = np.concatenate([rng.choice(len(LABELS), 30), index.members(4)])
    values = rng.random(len(rows))
    index.record(rows, values)
    last = dict(zip(rows.tolist(), values.tolist(), strict=True))
    index.losses[index.members(7)] = np.nan

    def plain(k):
        seen = [last[i] for i in index.members(k).tolist() if i in last and k != 7]
        return np.mean(seen) if seen else np.inf

    want = [plain(k) for k in range(9)]
    np.testing.assert_allclose(index.cluster_losses(), want)
    for some in ([0, 1, 2, 3], [4], [5, 6], [7, 8]):
        np.testing.assert_allclose(index.cluster_losses(np.array(some)), np.array(want)[some])


@pytest.mark.parametrize(
    ("query", "n_same", "n_other"),
    [(0, 2, 3), (2, 4, 5), (2, 1, 1), (4, 3, 2), (4, 1, 8), (8, 6, 2), (1, 9, 9), (6, 2, 0)],
)
def test_nearest_clusters_of_one_kind_replace_missing_ones_of_the_other(
    index, query, n_same, n_other
):
    cosine = index.centroids @ index.centroids[query]
    same = [k for k in range(9) if index.classes[k] == index.classes[query] and k != query]
    other = [k for k in range(9) if index.classes[k] != index.classes[query]]
    same = [query, *sorted(same, key=lambda k: -cosine[k])]
    other = sorted(other, key=lambda k: -cosine[k])
    wanted = n_same + n_other
    of_same = max(n_same, wanted - len(other))
    chosen = same[:of_same]
    chosen += other[: wanted - len(chosen)]
    before = index.centroids.copy()
    assert index.nearest(query, n_same, n_other).tolist() == chosen
    np.testing.assert_array_equal(index.centroids, before)


def test_of_equal_values_the_first_are_the_largest():
    values = np.array([2.0, 5.0, 1.0, 5.0, 2.0, 2.0])
    for n, want in enumerate(([], [1], [1, 3], [1, 3, 0], [1, 3, 0, 4], [1, 3, 0, 4, 5])):
        assert _largest(values, n).tolist() == want
    many = np.random.default_rng(0).integers(0, 3, 400).astype(float)
    order = sorted(range(400), key=lambda i: (-many[i], i))
    for n in (5, 200, 399, 400):
        assert _largest(many, n).tolist() == order[:n]
    assert _largest(values, 0).dtype == np.int64


def test_index_restored_from_its_state_is_an_equal_copy(index):
    index.record(np.arange(5), np.arange(5.0))
    index.cluster_size = 10
    again = ClusterIndex.from_state(LABELS.tolist(), index.state(), 10, 2)
    assert (again.cluster_size, again.min_clusters) == (10, 2)
    assert again.labels.dtype == np.int64
    for name in ("labels", "assignment", "centroids", "classes", "losses", "sizes"):
        np.testing.assert_array_equal(getattr(again, name), getattr(index, name))
    again.move(np.array([0]), features(9)[:1], 0.0)
    again.record(np.arange(3), np.full(3, 9.0))
    assert index.losses[:3].tolist() == [0.0, 1.0, 2.0]
    assert not np.array_equal(again.centroids[0], index.centroids[0])
    plain = ClusterIndex.from_state(LABELS.astype(np.int32), index.state(), 10)
    assert plain.min_clusters == 1
    assert plain.labels.dtype == np.int64


def test_sampler_cache_belongs_to_one_index(index):
    assert index.sampler_cache == {}
    index.sampler_cache["key"] = 1
    assert index.sampler_cache == {"key": 1}
    assert ClusterIndex.build(features(), LABELS, 10).sampler_cache == {}
