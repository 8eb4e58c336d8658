"""Figures of groups, reliability and costs show the given numbers."""

import numpy as np
import pytest

from clmle import figures, metrics


def by_group():
    labels = np.array([0, 1] * 30)
    groups = np.repeat(["a", "b", "c"], 20)
    predicted = labels.copy()
    predicted[[1, 3, 21]] = 0
    return metrics.metrics_by_group(labels, predicted, groups)


def test_the_worst_group_is_on_top_with_its_interval():
    found = by_group()
    figure = figures.group_metrics(found)
    dots, line = figure.data
    assert [y.split(" ")[0] for y in dots.y] == ["a", "b", "c"]
    assert list(dots.x) == pytest.approx([0.9, 0.95, 1.0])
    low, high = found["groups"][0]["interval"]
    assert dots.error_x.arrayminus[0] == pytest.approx(0.9 - low)
    assert dots.error_x.array[0] == pytest.approx(high - 0.9)
    assert line.x[0] == pytest.approx(found["overall"]["balanced_accuracy"])
    recall = figures.group_metrics(found, "recall", 1, "ring")
    assert list(recall.data[0].x) == pytest.approx([0.8, 0.9, 1.0])
    assert figures.title_of(recall) == "Recall of ring of every group"


def test_a_group_without_a_value_is_left_out():
    found = metrics.metrics_by_group([0, 0, 1, 1], [0, 0, 1, 0], ["a", "a", "b", "b"])
    figure = figures.group_metrics(found, "recall", 1, "ring")
    assert [y.split(" ")[0] for y in figure.data[0].y] == ["b"]


def test_the_reliability_diagram_shows_frequencies_and_counts():
    bins = metrics.reliability_bins([0, 0, 1, 1, 1], [0.05, 0.3, 0.3, 0.8, 0.9])
    bars, diagonal, observed = figures.reliability(bins).data
    assert list(observed.y) == [b["frequency"] for b in bins]
    assert list(observed.x) == [b["probability"] for b in bins]
    assert list(bars.y) == pytest.approx([0.2, 0.4, 0.2, 0.2])
    assert list(bars.customdata) == [1, 2, 1, 1]
    assert list(diagonal.x) == list(diagonal.y) == [0, 1]


def test_thresholds_are_drawn_at_their_log_odds():
    figure = figures.cost_by_threshold(
        [0.1, 0.5, 0.9], {"test images": [5, 2, 9]}, chosen=0.5, current=0.9
    )
    curve, chosen, current = figure.data
    assert list(curve.x) == pytest.approx([-np.log(9), 0, np.log(9)])
    assert chosen.x[0] == 0
    assert current.x[0] == pytest.approx(np.log(9))
    assert (chosen.name, current.name) == ("chosen on validation images: 0.5", "slider: 0.9")
    assert len(figures.cost_by_threshold([0.5], {"t": [1]}, 0.5, 0.5).data) == 2


def test_cost_curves_lie_below_that_of_constant_predictions():
    y, p = np.array([0, 0, 0, 1, 0, 1]), np.array([0.1, 0.2, 0.3, 0.35, 0.5, 0.9])
    x, cost = metrics.cost_curve(y, p)
    constant, curve, at = figures.cost_curves({"bound": (x, cost)}, at=0.25).data
    assert (np.array(curve.y) <= np.interp(curve.x, constant.x, constant.y) + 1e-9).all()
    assert at.x == (0.25, 0.25)


def test_marks_of_thresholds_are_drawn_on_the_precision_recall_curve():
    curve = {"run": ([0, 1], [1, 0.5], 0.8)}
    figure = figures.precision_recall_curves(curve, 0.1, marks={"chosen": (0.9, 0.6)})
    (mark,) = [trace for trace in figure.data if trace.name == "chosen"]
    assert (mark.x, mark.y) == ((0.9,), (0.6,))
