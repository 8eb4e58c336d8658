"""Weights that balance several labels: their rates, their limit, and that no others are nearer."""

import numpy as np
import pytest
from scipy.optimize import minimize

from clmle import ClassBalancedSampler
from clmle.samplers import multilabel_weights


@pytest.fixture
def labels():
    rng = np.random.default_rng(0)
    common = rng.random((400, 1)) < 0.5
    return (rng.random((400, 4)) < [0.7, 0.4, 0.2, 0.1] * (0.5 + common)).astype(int)


@pytest.mark.parametrize("rate", [None, 0.5])
def test_every_label_has_the_wanted_rate(labels, rate):
    weights = multilabel_weights(labels, rate)
    assert weights.sum() == pytest.approx(1)
    wanted = labels.mean() if rate is None else rate
    np.testing.assert_allclose(weights @ labels, wanted, atol=2e-3)


def test_one_label_of_each_sample_is_class_balanced_sampling():
    classes = np.repeat([0, 1, 2], [300, 60, 30])
    weights = multilabel_weights(np.eye(3)[classes])
    wanted = 1 / (3 * np.bincount(classes)[classes])
    np.testing.assert_allclose(weights, wanted, rtol=2e-3)


def test_no_weights_with_these_rates_are_nearer_to_uniform_ones():
    y = np.array([[1, 0], [1, 0], [1, 0], [1, 1], [0, 1], [0, 0], [1, 0], [0, 0]])
    n, most = len(y), 2.0 / len(y)
    weights = multilabel_weights(y, 0.5, 2.0)
    conditions = [{"type": "eq", "fun": lambda w: w.sum() - 1},
                  {"type": "eq", "fun": lambda w: w @ y - 0.5}]  # fmt: skip
    primal = minimize(
        lambda w: np.sum(w * np.log(np.maximum(w, 1e-12) * n)), np.full(n, 1 / n),
        bounds=[(0, most)] * n, constraints=conditions, method="SLSQP", options={"ftol": 1e-12},
    )  # fmt: skip
    assert primal.success
    np.testing.assert_allclose(weights, primal.x, atol=1e-3)


def test_no_sample_exceeds_the_limit_even_where_rates_are_out_of_reach(labels):
    rare = labels * (np.arange(400) % 20 == 0)[:, None]
    for most in (1.5, 4.0):
        weights = multilabel_weights(rare, 0.5, most)
        assert weights.max() * 400 <= most + 1e-9
        assert weights.sum() == pytest.approx(1)
        assert (weights @ rare > rare.mean(axis=0)).all()


@pytest.mark.parametrize("unknown", [-1, np.nan])
def test_unknown_labels_count_neither_as_positive_nor_as_negative(labels, unknown):
    partly = labels.astype(float)
    hidden = np.random.default_rng(1).random(labels.shape) < 0.3
    partly[hidden] = unknown
    weights = multilabel_weights(partly, 0.5)
    rates = (weights[:, None] * labels * ~hidden).sum(axis=0) / (weights @ ~hidden)
    np.testing.assert_allclose(rates, 0.5, atol=2e-3)
    sampler = ClassBalancedSampler(partly, positive_rate=0.5)
    np.testing.assert_allclose(sampler.class_proportions, rates, rtol=1e-6)


def test_an_epoch_draws_every_sample_as_often_as_its_weight_says(labels):
    sampler = ClassBalancedSampler(labels, 1000, positive_rate=0.5, seed=1)
    drawn = np.array(list(sampler))
    counts = np.bincount(drawn, minlength=400)
    assert (np.abs(counts - 1000 * sampler.weights) < 1).all()
    np.testing.assert_allclose(labels[drawn].mean(axis=0), 0.5, atol=0.02)
    assert not (np.diff(drawn) >= 0).all()
