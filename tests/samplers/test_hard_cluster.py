"""Batches over all clusters: how often classes and clusters are drawn."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from clmle import InputError
from clmle.cluster_index import ClusterIndex
from clmle.samplers.hard_cluster import HardClusterSampler
from clmle.samplers.proportions import apportion, class_proportions


@pytest.fixture
def index():
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], [400, 60, 20])
    features = rng.normal(size=(480, 8)).astype(np.float32)
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    return ClusterIndex.build(features, labels, 50, min_clusters=2)


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0])
def test_class_proportions_follow_a_power_of_class_sizes(index, power):
    sampler = HardClusterSampler(index, 120, power, without_replacement=False)
    total = np.zeros(3)
    for step in range(60):
        indices = sampler.draw(np.random.default_rng(step))
        assert len(indices) == 120
        total += np.bincount(index.labels[indices], minlength=3)
    wanted = np.array([400.0, 60.0, 20.0]) ** power
    np.testing.assert_allclose(total / total.sum(), wanted / wanted.sum(), atol=2e-3)


def test_clusters_of_a_large_class_are_drawn_in_proportion_to_their_loss(index):
    large = np.flatnonzero(index.classes == 0)
    for place, cluster in enumerate(large):
        members = index.members(cluster)
        index.record(members, np.full(len(members), 1.0 + place))
    counts = np.zeros(index.n_clusters)
    sampler = HardClusterSampler(index, 240, hardness_power=2.0)
    for step in range(200):
        indices = sampler.draw(np.random.default_rng(step))
        counts += np.bincount(index.assignment[indices], minlength=index.n_clusters)
    wanted = (1.0 + np.arange(len(large))) ** 2 * index.sizes[large]
    np.testing.assert_allclose(
        counts[large] / counts[large].sum(), wanted / wanted.sum(), atol=0.01
    )


def test_small_classes_are_drawn_uniformly_whatever_their_losses(index):
    small = np.flatnonzero(index.labels == 2)
    index.record(small[:1], np.array([1e6]))
    counts = np.zeros(len(index.labels))
    sampler = HardClusterSampler(index, 240, hardness_power=4.0)
    for step in range(300):
        counts += np.bincount(
            sampler.draw(np.random.default_rng(step)), minlength=len(index.labels)
        )
    assert counts[small].max() < 1.2 * counts[small].mean()


def test_sampling_without_replacement_repeats_no_image_of_a_small_class(index):
    sampler = HardClusterSampler(index, 240, without_replacement=True)
    total = np.zeros(3)
    for step in range(100):
        indices = sampler.draw(np.random.default_rng(step))
        small = indices[index.labels[indices] > 0]
        assert len(np.unique(small)) == len(small)
        total += np.bincount(index.labels[indices], minlength=3)
    np.testing.assert_allclose(
        total / 100, [160, 60, 20]
    )  # small classes completely, the rest from the largest
    seldom = HardClusterSampler(index, 240, max_class_fraction=0.6)
    np.testing.assert_allclose(seldom.class_proportions() * 240, [192, 36, 12])
    repeated = HardClusterSampler(index, 240, without_replacement=False).draw(
        np.random.default_rng(0)
    )
    assert np.bincount(index.labels[repeated]).tolist() == [80, 80, 80]


@given(
    st.lists(st.integers(0, 500), min_size=2, max_size=12),
    st.floats(0, 1),
    st.integers(1, 300),
    st.floats(0.05, 1),
)
def test_class_proportions_sum_to_one_and_respect_the_class_sizes(counts, power, batch_size, most):
    counts = np.array(counts)
    assume(counts.sum() > 0)
    proportions = class_proportions(counts, power, batch_size, most)
    assert proportions.sum() == pytest.approx(1)
    assert (proportions[counts == 0] == 0).all()
    if most * counts.sum() <= batch_size:  # too few images for the limit
        np.testing.assert_array_equal(proportions, class_proportions(counts, power))
    else:
        assert (proportions * batch_size <= most * counts + 1e-6).all()
        # Classes below the limit keep the requested proportions.
        open_ = (counts > 0) & (proportions * batch_size < most * counts - 1e-6)
        rate = proportions[open_] / counts[open_].astype(float) ** power
        np.testing.assert_allclose(rate, rate[:1].repeat(len(rate)))


def test_clusters_without_loss_or_not_drawn_yet_are_still_drawn(index):
    large = np.flatnonzero(index.classes == 0)
    members = index.members(large[0])
    index.record(members, np.zeros(len(members)))  # the others were not drawn yet
    _, proportions = HardClusterSampler(index, 10, hardness_power=3.0).cluster_proportions(0)
    assert (proportions > 0).all()
    assert proportions.sum() == pytest.approx(1)


@pytest.mark.parametrize("largest", [0.5, 4.0])
def test_cluster_proportions_follow_the_known_losses(index, largest):
    clusters = index.clusters_of(0)
    known = {clusters[0]: 0.0, clusters[1]: largest, clusters[2]: largest / 2}
    for cluster, loss in known.items():
        members = index.members(cluster)
        index.record(members, np.full(len(members), loss))
    found, proportions = HardClusterSampler(index, 10, hardness_power=2.0).cluster_proportions(0)
    assert found.tolist() == clusters.tolist()
    hard = [
        max(known.get(c, largest / 2), 1e-3 * largest) for c in clusters
    ]  # not drawn yet: the mean
    weight = np.square(hard) * index.sizes[clusters]
    np.testing.assert_allclose(proportions, weight / weight.sum(), rtol=1e-12)


def test_hard_fraction_leaves_the_rest_of_a_large_class_uniform(index):
    large = np.flatnonzero(index.classes == 0)
    for cluster in large:
        members = index.members(cluster)
        index.record(members, np.full(len(members), 1e-6))
    hardest = index.members(large[3])
    index.record(hardest, np.full(len(hardest), 5.0))
    alone = HardClusterSampler(index, 240, hardness_power=2.0)
    mixed = HardClusterSampler(index, 240, hardness_power=2.0, hard_fraction=0.6)
    even = HardClusterSampler(index, 240, hardness_power=2.0, hard_fraction=0.0)
    sizes = index.sizes[large] / index.sizes[large].sum()
    np.testing.assert_allclose(even.cluster_proportions(0)[1], sizes)
    assert alone.cluster_proportions(0)[1][3] > 0.99
    wanted = 0.6 * alone.cluster_proportions(0)[1] + 0.4 * sizes
    counts = np.zeros(index.n_clusters)
    for step in range(200):
        indices = mixed.draw(np.random.default_rng(step))
        counts += np.bincount(index.assignment[indices], minlength=index.n_clusters)
    np.testing.assert_allclose(counts[large] / counts[large].sum(), wanted, atol=0.01)


def test_a_batch_depends_only_on_the_generator(index):
    sampler = HardClusterSampler(index, 50)
    first, again = (sampler.draw(np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(first, again)


def test_apportioned_numbers_are_within_one_and_unbiased():
    proportions = np.array([0.123, 0.377, 0.5])
    drawn = np.array([apportion(proportions, 7, np.random.default_rng(i)) for i in range(4000)])
    assert drawn.dtype == np.int64
    assert (drawn.sum(axis=1) == 7).all()
    assert (np.abs(drawn - proportions * 7) < 1).all()
    np.testing.assert_allclose(drawn.mean(axis=0), proportions * 7, atol=0.03)


@pytest.mark.parametrize(
    "options",
    [
        {"class_power": 1.5},
        {"class_power": -0.1},
        {"hardness_power": -1},
        {"hard_fraction": -0.1},
        {"hard_fraction": 1.1},
        {"max_class_fraction": 0},
        {"max_class_fraction": 1.1},
    ],
)
def test_error_names_a_number_out_of_range(index, options):
    with pytest.raises(InputError, match=next(iter(options))):
        HardClusterSampler(index, 10, **options)


@pytest.mark.parametrize("power", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("without_replacement", [True, False])
@pytest.mark.parametrize("hardness_power", [0.0, 2.0])
def test_a_seeded_draw_equals_the_loop_over_all_classes(power, without_replacement, hardness_power):
    rng = np.random.default_rng(1)
    counts = np.maximum(1, rng.lognormal(1, 1.5, 200).astype(int))
    counts[[3, 70]] = 0
    labels = rng.permutation(np.repeat(np.arange(200), counts))
    features = rng.normal(size=(len(labels), 4)).astype(np.float32)
    index = ClusterIndex.build(features, labels, 20)
    index.record(np.arange(0, len(labels), 2), rng.random(len(labels[::2])))
    sampler = HardClusterSampler(index, 60, power, hardness_power, without_replacement)
    for seed in range(5):
        plain = plainly_drawn(sampler, np.random.default_rng(seed))
        np.testing.assert_array_equal(sampler.draw(np.random.default_rng(seed)), plain)


def plainly_drawn(sampler, generator):
    index, counts = sampler.index, np.bincount(sampler.index.labels)
    exact = sampler.class_proportions() * sampler.batch_size
    wanted = np.floor(exact).astype(int)
    rest = sampler.batch_size - wanted.sum()
    if rest:
        edges = np.cumsum(exact - wanted)
        for at in generator.random() + np.arange(rest):
            wanted[min((edges <= at).sum(), len(counts) - 1)] += 1
    indices = []
    for c in np.flatnonzero(wanted):
        members = np.flatnonzero(index.labels == c)
        if sampler.hardness_power > 0 and counts[c] >= counts[counts > 0].mean():
            clusters, proportions = sampler.cluster_proportions(c)
            numbers = generator.multinomial(wanted[c], proportions)
            for cluster, number in zip(clusters, numbers, strict=True):
                if number:
                    own = np.flatnonzero(index.assignment == cluster)
                    indices.append(generator.choice(own, number, replace=number > len(own)))
        else:
            again = not sampler.without_replacement or wanted[c] > len(members)
            indices.append(generator.choice(members, wanted[c], replace=again))
    return np.concatenate(indices)


def test_the_larger_of_two_clusters_of_equal_loss_is_drawn_more_often():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(7, 4)).astype(np.float32)
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    index = ClusterIndex.build(features, np.zeros(7, dtype=int), 1, min_clusters=1)
    uneven = ClusterIndex.build(features, np.zeros(7, dtype=int), 3, min_clusters=2)
    for each in (index, uneven):
        clusters, proportions = HardClusterSampler(each, 4, hardness_power=2.0).cluster_proportions(
            0
        )
        np.testing.assert_allclose(proportions, each.sizes_of(clusters) / 7)
    assert sorted(uneven.sizes.tolist()) == [3, 4]


def test_losses_count_for_a_class_of_mean_size_and_a_hardness_power_below_1():
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 60)  # both of the mean size
    features = rng.normal(size=(120, 4)).astype(np.float32)
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    index = ClusterIndex.build(features, labels, 20)
    hard = index.members(0)
    index.record(np.arange(120), np.full(120, 0.01))
    index.record(hard, np.full(len(hard), 100.0))
    sampler = HardClusterSampler(index, 20, hardness_power=0.9, without_replacement=False)
    counts = sum(
        np.isin(sampler.draw(np.random.default_rng(step)), hard).sum() for step in range(50)
    )
    assert counts > 0.9 * 50 * 10  # nearly all samples of its class
