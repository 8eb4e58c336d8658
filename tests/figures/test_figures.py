"""Figures show the given numbers with labels and can be exported."""

import doctest
import importlib
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

import clmle
from clmle import figures, margin_bounds

TEST = {
    "balanced_accuracy": 0.8, "interval": [0.7, 0.88], "accuracy": 0.9, "recall": [0.9, 0.7],
    "average_precision": 0.5, "roc_auc": 0.85, "mcc": 0.4, "confusion": [[90, 10], [3, 7]],
}  # fmt: skip
ACTIVE = {"step": 5, "active_between": 0.5, "active_within": 0.25, "gradient_fraction": 0.1}
VALIDATION = [{"step": s, "balanced_accuracy": 0.5 + s / 100, "recall": [0.9, 0.1]} for s in (0, 9)]


POINTS = np.random.default_rng(0).normal(size=(30, 2))
GROUPS = ["cluster 1", "cluster 2", "test image"] * 10
FIGURES = {
    "counts": lambda: figures.class_counts(["a", "b"], {"before": [9, 3], "after": [9, 1]}),
    "together": lambda: figures.co_occurrence(
        np.array([[1, 0.4], [0.4, 1]]), ["Bald", "Gray_Hair"]
    ),
    "rates": lambda: figures.positive_rates({"Bald": 0.02, "Smiling": 0.48}),
    "tail": lambda: figures.long_tail([50, 4, 2, 1]),
    "loss": lambda: figures.loss_curves({"clmle": [{"step": 1, "loss": 2.0}]}),
    "validation": lambda: figures.validation_curves({"clmle": VALIDATION}),
    "recall": lambda: figures.recall_curves({"clmle": VALIDATION}, ["no", "yes"]),
    "activity": lambda: figures.activity_curves({"clmle": [ACTIVE]}),
    "impostors": lambda: figures.impostor_curves(
        {"clmle": [{"step": 9, "minority_impostor_rate": 0.2}]}
    ),
    "effects": lambda: figures.effects({"recall": {"a1 0.5": (0.1, 0.0, 0.2)}}, "t", "pp"),
    "regime": lambda: figures.regime_map(
        {"recall": {"noise": [(30, 1, 0, 2)]}}, "t", "points", "pp"
    ),
    "gap": lambda: figures.margin_map({"points": [("30", 0.4, (1, 0, 2))]}, "t", "gap", "pp"),
    "comparison": lambda: figures.comparison({"waiting": None, "clmle": TEST}),
    "confusion": lambda: figures.confusion(TEST["confusion"], ["no", "yes"], "Mistakes"),
    "embedding": lambda: figures.embedding_scatter(
        [("before", POINTS), ("after", POINTS)], GROUPS, "t"
    ),
    "between": lambda: figures.between_bounds(64, 2),
    "within": lambda: figures.within_bounds([0.96, 0.04]),
    "feasible": lambda: figures.feasible_region(2.0, 6, 8.0, 0.5),
}


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_has_a_title_and_can_be_written(name):
    figure = FIGURES[name]()
    assert figure.layout.title.text
    assert len(figure.to_html(include_plotlyjs=False)) > 500
    if name not in ("embedding", "comparison", "rates", "together", "effects"):
        assert figure.layout.xaxis.title.text
        assert figure.layout.yaxis.title.text


def test_comparison_shows_the_metrics_and_the_interval():
    (trace,) = FIGURES["comparison"]().data
    assert list(trace.x) == [0.8, 0.9, 0.5, 0.85, 0.4]
    assert trace.error_x.array[0] == pytest.approx(0.08)
    assert trace.error_x.arrayminus[0] == pytest.approx(0.1)


def test_comparison_has_a_row_for_each_metric_that_a_run_has():
    every = list(figures.METRICS.values())
    some = TEST | {"average_precision": None, "roc_auc": None}
    for results, names in (
        ({"clmle": some}, ["balanced accuracy", "accuracy", "MCC"]),
        ({"clmle": some, "softmax": TEST}, every),
        ({"clmle": None}, every),
    ):
        axis = figures.comparison(results).layout.yaxis
        assert list(axis.ticktext) == names
        assert list(axis.tickvals) == list(range(len(names), 0, -1))


def test_a_run_keeps_its_color_while_others_have_no_result():
    (trace,) = FIGURES["comparison"]().data
    second = figures.validation_curves({"waiting": [], "clmle": VALIDATION}).data[1]
    assert trace.marker.color == second.line.color


def test_a_method_has_one_color_whatever_is_drawn_with_it():
    alone = figures.validation_curves({"lmle": VALIDATION}).data[0].line
    runs = {"softmax": VALIDATION, "lmle, seed 1": VALIDATION, "lmle, seed 2": VALIDATION}
    softmax, one, two = (trace.line for trace in figures.validation_curves(runs).data)
    assert one.color == two.color == alone.color != softmax.color
    assert one.dash != two.dash


def test_embedding_carries_the_row_of_every_point():
    figure = FIGURES["embedding"]()
    rows = sorted(int(i) for trace in figure.data[:3] for i in trace.customdata)
    assert rows == list(range(30))


def test_the_drawn_bounds_are_those_of_margin_bounds():
    figure = FIGURES["between"]()
    printed, sphere = figure.data
    at = list(printed.x).index(8)
    bounds = margin_bounds(np.ones(8), 64)
    assert printed.y[at] == pytest.approx(bounds.between)
    assert sphere.y[at] == pytest.approx(bounds.between_sphere)


def test_a_logarithmic_axis_writes_its_numbers_in_full():
    axis = figures.long_tail([1_500, 200, 30, 1]).layout.yaxis
    assert axis.type == "log"
    assert axis.ticktext == ("1", "2", "5", "10", "20", "50", "100", "200", "500", "1,000")
    assert [f"{v:,.0f}" for v in axis.tickvals] == list(axis.ticktext)


def test_a_figure_is_one_file(tmp_path, monkeypatch):
    """The figure of docs/guide/own-figure.md is exported, and its examples give what they show."""
    text = (Path(__file__).parents[2] / "docs" / "guide" / "own-figure.md").read_text("utf-8")
    code, use = re.findall(r"^```python\n(.*?)^```", text, re.S | re.M)
    shutil.copytree(Path(figures.__file__).parent, tmp_path / "copied_figures")
    (tmp_path / "copied_figures" / "recall_bars.py").write_text(code)
    monkeypatch.syspath_prepend(str(tmp_path))
    found = importlib.import_module("copied_figures")
    assert "recall_bars" in found.__all__
    monkeypatch.setattr(clmle, "figures", found)
    module = importlib.import_module("copied_figures.recall_bars")
    assert doctest.testmod(module).failed == 0
    names: dict = {}
    exec(use, names)
    assert [trace.name for trace in names["figure"].data] == ["softmax", "clmle"]


@pytest.mark.parametrize("n", [2, 10, 40])
def test_every_class_and_attribute_is_named_on_its_axis(n):
    """Names that are numbers are names, and none is left out for want of room."""
    names = [str(i) for i in range(n)]
    bars = figures.class_counts(names, {"all": range(1, n + 1)})
    matrix = figures.confusion(np.eye(n, dtype=int), names, "t")
    phi = figures.co_occurrence(np.eye(n), names)
    axes = [
        bars.layout.xaxis,
        *(a for f in (matrix, phi) for a in (f.layout.xaxis, f.layout.yaxis)),
    ]
    assert all((axis.type, axis.dtick) == ("category", 1) for axis in axes)
