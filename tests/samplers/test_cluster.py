"""Cluster index and cluster batches follow section 3.3."""

import numpy as np
import pytest

from clmle import InputError
from clmle.cluster_index import ClusterIndex
from clmle.samplers.cluster import ClusterSampler


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], [600, 90, 7])
    features = rng.normal(size=(len(labels), 8)) + 3 * np.eye(8)[labels]
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    return features.astype(np.float32), labels


def test_clusters_have_one_class_and_equal_sizes(data):
    features, labels = data
    index = ClusterIndex.build(features, labels, 50)
    assert np.bincount(index.classes).tolist() == [12, 1, 1]
    assert (index.classes[index.assignment] == labels).all()
    assert index.sizes[:12].tolist() == [50] * 12
    assert sorted(np.concatenate([index.members(k) for k in range(14)])) == list(range(697))
    more = ClusterIndex.build(features, labels, 50, min_clusters=4)
    assert np.bincount(more.classes).tolist() == [12, 4, 4]


def test_nearest_clusters_have_the_largest_inner_products_of_their_kind(data):
    index = ClusterIndex.build(*data, 50)
    near = index.nearest(3, 4, 2)
    similarity = index.centroids @ index.centroids[3]
    assert near[0] == 3
    same = [k for k in np.argsort(-similarity) if index.classes[k] == 0 and k != 3][:3]
    assert near[1:4].tolist() == same
    assert set(near[4:]) == {12, 13}
    assert (
        len(index.nearest(13, 6, 6)) == 12
    )  # a single cluster of its class: the others fill the batch


def test_cluster_loss_is_the_mean_of_recorded_losses(data):
    index = ClusterIndex.build(*data, 50)
    assert np.isinf(index.cluster_losses()).all()
    members = index.members(5)
    index.record(members[:3], np.array([1.0, 2.0, 6.0]))
    assert index.cluster_losses()[5] == pytest.approx(3.0)
    assert np.isinf(np.delete(index.cluster_losses(), 5)).all()


def test_hardest_query_has_the_highest_loss_and_new_clusters_come_first(data):
    index = ClusterIndex.build(*data, 50)
    sampler = ClusterSampler(index, 6, 10, 3)
    for k in range(index.n_clusters):
        members = index.members(k)
        index.record(members, np.full(len(members), float(k == 7) + 0.1))
    queries = {sampler.draw_query(np.random.default_rng(i)) for i in range(60)}
    assert queries == {7, 12, 13}
    index.losses[index.members(2)] = np.nan
    queries = {sampler.draw_query(np.random.default_rng(i)) for i in range(60)}
    assert queries == {2, 12, 13}


def test_query_class_is_uniform_over_classes(data):
    index = ClusterIndex.build(*data, 50)
    sampler = ClusterSampler(index, 6, 10, 3, "uniform")
    drawn = [sampler.draw_query(np.random.default_rng(i)) for i in range(600)]
    proportions = np.bincount(index.classes[drawn]) / 600
    np.testing.assert_allclose(proportions, 1 / 3, atol=0.07)


def test_batch_has_distinct_samples_of_its_clusters(data):
    index = ClusterIndex.build(*data, 50)
    batch = ClusterSampler(index, 8, 20, 4).draw(np.random.default_rng(1))
    assert len(set(batch.clusters.tolist())) == 8
    assert len(batch.indices) == len(batch.slots) == 8 * 20
    assert (index.assignment[batch.indices] == batch.clusters[batch.slots]).all()
    assert (index.labels[batch.indices] == batch.classes[batch.slots]).all()
    for slot, cluster in enumerate(batch.clusters):
        indices = batch.indices[batch.slots == slot]
        assert len(indices) == 20
        if len(index.members(cluster)) >= 20:
            assert len(set(indices)) == 20


def test_a_cluster_of_samples_per_cluster_samples_is_drawn_completely(data):
    index = ClusterIndex.build(*data, 50)
    batch = ClusterSampler(index, 4, 50, 2).draw(np.random.default_rng(0))
    for slot, cluster in enumerate(batch.clusters):
        indices = batch.indices[batch.slots == slot]
        if index.sizes[cluster] == 50:
            assert sorted(indices) == sorted(index.members(cluster))


def test_uniform_query_ignores_losses(data):
    index = ClusterIndex.build(*data, 50)
    index.record(np.arange(697), np.arange(697.0))
    sampler = ClusterSampler(index, 6, 10, 3, "uniform")
    drawn = {sampler.draw_query(np.random.default_rng(i)) for i in range(300)}
    assert drawn == set(range(14))


def test_state_restores_the_index(data):
    features, labels = data
    index = ClusterIndex.build(features, labels, 50)
    index.record(np.arange(30), np.linspace(0, 1, 30))
    again = ClusterIndex.from_state(labels, index.state(), 50)
    for seed in range(5):
        a, b = (
            ClusterSampler(i, 6, 5, 3).draw(np.random.default_rng(seed)) for i in (index, again)
        )
        assert (a.indices == b.indices).all()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"query": "worst"}, "query is 'worst'; choose one of: hardest, uniform."),
        ({"samples_per_cluster": 0}, "samples_per_cluster must be 1 or more."),
        *(
            (
                {"same_class_clusters": n},
                f"same_class_clusters is {n}, but must be at least 1 and less than "
                "clusters_per_batch (12), for a batch to hold both the class of the query and "
                "others.",
            )
            for n in (0, 12)
        ),
    ],
)
def test_error_describes_a_bad_parameter(data, options, sentence):
    index = ClusterIndex.build(*data, 50)
    with pytest.raises(InputError) as error:
        ClusterSampler(index, **options)
    assert str(error.value) == sentence


def test_smallest_and_largest_parameters_are_accepted(data):
    index = ClusterIndex.build(*data, 50)
    for same in (1, 11):
        assert len(ClusterSampler(index, 12, 1, same).draw(np.random.default_rng(0)).indices) == 12


def test_single_cluster_classes_are_clustered_in_one_pass_with_the_same_result(monkeypatch):
    from clmle.clustering import balanced_spherical_kmeans

    monkeypatch.setattr("clmle.cluster_index.CLASSES_PER_BLOCK", 3)
    rng = np.random.default_rng(0)
    labels = rng.permutation(np.repeat(np.arange(11), [1, 2, 3, 4, 9, 1, 7, 40, 2, 5, 6]))
    features = rng.normal(size=(len(labels), 5)).astype(np.float32)
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    index = ClusterIndex.build(features, labels, 20)  # only class 7 has two clusters
    assert index.n_clusters == 12
    for c in set(range(11)) - {7}:
        indices = np.flatnonzero(labels == c)
        (cluster,) = index.clusters_of(c)
        alone = balanced_spherical_kmeans(features[indices], n_clusters=1)
        np.testing.assert_allclose(index.centroids[cluster], alone.centroids[0], atol=1e-6)
        np.testing.assert_array_equal(np.sort(index.members(cluster)), indices)
