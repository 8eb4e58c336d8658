"""Purity of clusters and neighborhoods against loops."""

from collections import Counter

import numpy as np
import pytest

from clmle import InputError
from clmle.metrics import cluster_purity, neighbor_purity


def test_cluster_purity_counts_the_most_frequent_group_of_each_cluster():
    rng = np.random.default_rng(0)
    clusters, groups = rng.integers(0, 7, 200) * 3, rng.choice(["a", "b", "c"], 200)
    largest = [
        Counter(groups[clusters == c]).most_common(1)[0][1] for c in sorted(set(clusters.tolist()))
    ]
    assert cluster_purity(clusters, groups) == pytest.approx(sum(largest) / 200)
    assert cluster_purity(np.arange(9), rng.integers(0, 3, 9)) == 1


@pytest.mark.parametrize("k", [1, 5, 500])
def test_neighbor_purity_searches_within_the_class(k):
    rng = np.random.default_rng(1)
    x = rng.normal(size=(50, 4))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    labels, groups = rng.integers(0, 2, 50), rng.integers(0, 3, 50)
    fractions = []
    for i in range(50):
        near = [j for j in range(50) if j != i and labels[j] == labels[i]]
        near = sorted(near, key=lambda j: -float(x[i] @ x[j]))[:k]
        fractions.append(np.mean([groups[j] == groups[i] for j in near]))
    assert neighbor_purity(x, labels, groups, k) == pytest.approx(np.mean(fractions))


def test_a_class_of_one_point_has_no_neighbors():
    assert neighbor_purity(np.eye(2), np.array([0, 1]), np.zeros(2)) is None


def test_invalid_input_raises_an_error_that_names_it():
    with pytest.raises(InputError, match="one value for each point"):
        cluster_purity(np.zeros(3), np.zeros(2))
    with pytest.raises(InputError, match="the same n"):
        neighbor_purity(np.eye(3), np.zeros(2), np.zeros(3))
