"""Probabilities: sums, order and infinite scores; the temperature against a grid search."""

import numpy as np
import pytest
from scipy.special import log_softmax, softmax

from clmle import InputError
from clmle.classifiers.probability import class_probabilities, fit_temperature

RNG = np.random.default_rng(0)


def test_probabilities_are_a_softmax_and_keep_the_order():
    scores = RNG.normal(size=(50, 5)) * 7
    found = class_probabilities(scores, 3.0)
    np.testing.assert_allclose(found, softmax(scores / 3.0, axis=1))
    np.testing.assert_array_equal(found.argmax(axis=1), scores.argmax(axis=1))


def test_attributes_have_a_temperature_each():
    scores = RNG.normal(size=(20, 3, 2))
    found = class_probabilities(scores, np.array([0.5, 1.0, 4.0]))
    for a, temperature in enumerate((0.5, 1.0, 4.0)):
        np.testing.assert_allclose(found[:, a], softmax(scores[:, a] / temperature, axis=1))


def test_infinite_scores_have_probabilities_near_0_and_1():
    found = class_probabilities(np.array([[np.inf, -np.inf, -np.inf]]), 2.0)
    np.testing.assert_allclose(found, [[1, 0, 0]], atol=1e-9)


def test_a_temperature_must_be_positive():
    with pytest.raises(InputError, match="temperature"):
        class_probabilities(np.zeros((1, 2)), 0.0)


@pytest.mark.parametrize("factor", [0.3, 1.0, 8.0])
def test_the_temperature_undoes_a_factor_of_calibrated_scores(factor):
    logits = RNG.normal(size=(20_000, 4)) * 2
    labels = (softmax(logits, axis=1).cumsum(axis=1) < RNG.random((20_000, 1))).sum(axis=1)
    assert fit_temperature(logits * factor, labels) == pytest.approx(factor, rel=0.05)


def test_the_temperature_is_that_of_a_grid_search():
    scores, labels = RNG.normal(size=(60, 3)) * 4, RNG.integers(0, 3, 60)
    grid = np.exp(np.linspace(-5, 7, 20_001))
    target = np.full((60, 3), 1 / 62 / 2)
    target[np.arange(60), labels] = 61 / 62
    loss = [-(target * log_softmax(scores / t, axis=1)).sum() for t in grid]
    assert fit_temperature(scores, labels) == pytest.approx(grid[np.argmin(loss)], rel=1e-3)


def test_unknown_labels_of_an_attribute_do_not_count():
    scores = RNG.normal(size=(40, 2, 2))
    labels = RNG.integers(0, 2, (40, 2))
    labels[:15, 1] = -1
    first, second = fit_temperature(scores, labels)
    assert first == fit_temperature(scores[:, 0], labels[:, 0])
    assert second == fit_temperature(scores[15:, 1], labels[15:, 1])
    labels[:, 1] = -1
    assert fit_temperature(scores, labels)[1] == 1.0
