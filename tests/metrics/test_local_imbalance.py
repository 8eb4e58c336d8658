"""Class fractions among nearest neighbors against a loop over all pairs."""

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from clmle import InputError
from clmle._search import nearest_others
from clmle.metrics import local_imbalance


@pytest.mark.parametrize("k", [1, 4, 500])
def test_fractions_match_a_loop_over_all_pairs(k):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 5))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    labels = rng.choice(3, 60, p=[0.7, 0.2, 0.1])
    found = local_imbalance(x, labels, k)
    for i in range(60):
        order = sorted((j for j in range(60) if j != i), key=lambda j: -float(x[i] @ x[j]))[:k]
        own = np.mean([labels[j] == labels[i] for j in order])
        assert found.impostor_rate[i] == pytest.approx(1 - own)
        assert found.relative_density[i] == pytest.approx(own / np.mean(labels == labels[i]))


def test_invalid_input_raises_an_error_that_names_it():
    with pytest.raises(InputError, match="the same n"):
        local_imbalance(np.eye(3), np.zeros(2))
    with pytest.raises(InputError, match="k is 0"):
        local_imbalance(np.eye(3), np.zeros(3), 0)


@pytest.mark.parametrize("offset", [0, 100])
def test_nearest_others_are_those_of_scikit_learn(offset):
    points = np.random.default_rng(0).normal(offset, 1, (60, 4)).astype(np.float32)
    wanted = NearestNeighbors(n_neighbors=7).fit(points).kneighbors(return_distance=False)
    assert (nearest_others(points, 7) == wanted).all()
    same = nearest_others(np.repeat(points[:2], 5, axis=0), 3)  # copies of a point are others
    assert (same // 5 == np.repeat([0, 1], 5)[:, None]).all()
    assert (same != np.arange(10)[:, None]).all()
