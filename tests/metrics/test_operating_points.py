"""Thresholds and cost curves against naive loops over all thresholds, and scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, precision_recall_curve

from clmle.errors import InputError
from clmle.metrics import (
    cost_curve,
    cost_of,
    counts_at,
    errors_at,
    operating_points,
    precision_at_recall,
    probability_cost,
    threshold_for_cost,
    validated_cost_curve,
)


def images(seed=0, n=120, digits=2):
    rng = np.random.default_rng(seed)
    y = rng.random(n) < 0.15
    y[0], y[1] = True, False
    return y, np.round(rng.normal(size=n) + 1.3 * y, digits)  # rounded: with ties


@pytest.mark.parametrize("digits", [1, 2, 9])
def test_the_counts_are_those_of_a_confusion_matrix(digits):
    y, s = images(digits=digits)
    points = operating_points(y, s)
    missed, alarms = errors_at(y, s, points.thresholds)
    assert np.array_equal(points.n_positive - missed, points.true_positives)
    assert np.array_equal(alarms, points.false_positives)
    assert (np.diff(points.thresholds) < 0).all()
    for t, hits, alarms in zip(
        points.thresholds, points.true_positives, points.false_positives, strict=True
    ):
        (tn, fp), (fn, tp) = confusion_matrix(y, s >= t, labels=[False, True])
        assert (tp, fp) == (hits, alarms)
        found = counts_at(y, s, t)
        assert [found[k] for k in ("true_negatives", "false_positives", "false_negatives",
                                   "true_positives")] == [tn, fp, fn, tp]  # fmt: skip


@pytest.mark.parametrize("costs", [(1, 1), (20, 1), (1, 7), (0.3, 0.1)])
@pytest.mark.parametrize("seed", range(4))
def test_no_threshold_is_cheaper_than_the_chosen_one(costs, seed):
    y, s = images(seed, digits=1)
    chosen = threshold_for_cost(y, s, false_negative=costs[0], false_positive=costs[1])
    every = [*(s + 1e-9), *(s - 1e-9), np.inf]
    naive = min(costs[0] * (y & (s < t)).sum() + costs[1] * (~y & (s >= t)).sum() for t in every)
    assert cost_of(counts_at(y, s, chosen), *costs) == pytest.approx(naive)


def test_with_right_probabilities_the_threshold_is_the_ratio_of_the_costs():
    """Elkan: predict positive if p is at least c_fp / (c_fp + c_fn)."""
    rng = np.random.default_rng(0)
    p = rng.random(40_000)
    y = rng.random(40_000) < p
    for missed, alarm in ((9, 1), (1, 1), (1, 3)):
        chosen = threshold_for_cost(y, p, false_negative=missed, false_positive=alarm)
        assert chosen == pytest.approx(alarm / (alarm + missed), abs=0.05)


@pytest.mark.parametrize("recall", [0.1, 0.5, 0.9, 1.0])
def test_precision_at_recall_is_the_best_of_scikit_learns_curve(recall):
    y, s = images(5, digits=1)
    precision, recalls, _ = precision_recall_curve(y, s)
    found = precision_at_recall(y, s, recall)
    assert found["precision"] == pytest.approx(precision[recalls >= recall - 1e-12].max())
    assert found["recall"] >= recall
    assert found["precision_interval"][0] <= found["precision"] <= found["precision_interval"][1]


def test_the_cost_curve_is_the_lower_envelope_of_all_thresholds():
    y, s = images(2)
    x, cost = cost_curve(y, s)
    for i in range(0, len(x), 20):
        naive = min(
            x[i] * (s[y] < t).mean() + (1 - x[i]) * (s[~y] >= t).mean() for t in [*s, np.inf]
        )
        assert cost[i] == pytest.approx(naive)
    assert (cost <= np.minimum(x, 1 - x) + 1e-12).all()


def test_a_cost_curve_is_the_normalized_cost_of_images():
    """At the probability cost of the images, the curve is their lowest cost as a fraction of that
    of wrong predictions only."""
    y, s = images(3)
    missed, alarm = 12.0, 1.0
    chosen = threshold_for_cost(y, s, false_negative=missed, false_positive=alarm)
    worst = missed * y.sum() + alarm * (~y).sum()
    at = probability_cost(y.mean(), missed, alarm)
    x, cost = cost_curve(y, s)
    share = cost_of(counts_at(y, s, chosen), missed, alarm) / worst
    assert np.interp(at, x, cost) == pytest.approx(share, abs=0.002)


def test_thresholds_of_other_images_cost_at_least_as_much():
    validation, test = images(6), images(7, 2000)
    x, chosen = validated_cost_curve(validation, test)
    _, bound = cost_curve(*test)
    assert (chosen >= bound - 1e-12).all()
    assert (chosen - bound).max() < 0.2
    assert len(x) == len(chosen)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: operating_points([1, 1], [0.1, 0.2]), "both must occur"),
        (lambda: operating_points([0, 1], [0.1]), "must be"),
        (lambda: operating_points([0, 1], [0.1, np.nan]), "finite"),
        (lambda: precision_at_recall([0, 1], [0.1, 0.2], 1.5), "at most 1"),
        (lambda: precision_at_recall([0, 1], [0.1, 0.2], 0), "above 0"),
        (
            lambda: threshold_for_cost([0, 1], [0.1, 0.2], false_negative=0, false_positive=1),
            "false_negative",
        ),
        (lambda: probability_cost(1.2, 1, 1), "fraction"),
    ],
)
def test_mistakes_are_named(call, message):
    with pytest.raises(InputError, match=message):
        call()
