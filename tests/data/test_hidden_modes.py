"""Hidden modes: the classes are separable by their modes, the modes stay known."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import NearestCentroid

from clmle.config import DataConfig
from clmle.data.hidden_modes import load_hidden_modes
from clmle.studies.hidden_subpopulations import hidden_modes
from clmle.training.prepare import make_task


def task(minority, seed=0):
    data = DataConfig(dataset="hidden-modes", attribute="mode", **hidden_modes(minority))
    return make_task(load_hidden_modes(seed=seed), data, seed)


def test_a_seed_draws_its_own_points():
    first, again, other = (load_hidden_modes(seed=s) for s in (0, 0, 1))
    np.testing.assert_array_equal(first.images, again.images)
    assert not np.allclose(first.images[:100], other.images[:100])
    assert first.images.dtype == np.float32


def test_two_classes_of_six_modes_with_the_given_sizes():
    found = task(300)
    assert found.class_names == ("a", "b")
    assert found.class_counts().tolist() == [6000, 300]
    hidden, names = found.subpopulations
    assert np.bincount(hidden[found.train]).tolist() == [1000] * 6 + [50] * 6
    assert names[:2] == ("a0", "a1")
    share = found.class_counts("validation") / len(found.validation)
    assert share[1] == pytest.approx(300 / 6300, abs=0.01)


def test_a_nearest_centroid_fails_where_modes_are_hidden():
    found = task(3000)
    train, test = found.images[found.train], found.images[found.test]
    labels = found.labels
    nearest = NearestCentroid().fit(train, labels[found.train])
    oracle = LogisticRegression(max_iter=200).fit(train, found.subpopulations[0][found.train])
    modes = oracle.predict(test)
    with_modes = np.mean((modes >= 6) == labels[found.test])
    assert with_modes > 0.9
    assert nearest.score(test, labels[found.test]) < with_modes - 0.05
