"""Figures on a narrow screen: long names are broken into lines, once."""

from app.widgets.figure import ROW_WIDTH, drawn_points, fit
from clmle import figures

LONG = "oversampling + threshold tuning (leaderboard)"


def board(names):
    return figures.leaderboard(
        {n: [0.8, 0.9] for n in names}, dict.fromkeys(names, (0.7, 1.0)), highlight=names[:1],
        x="balanced accuracy on test images, mean over tasks",
    )  # fmt: skip


def test_long_names_and_axes_are_broken_into_lines_once():
    figure = board([LONG, "clmle"])
    before = figure.layout.height
    fit(figure)
    name, short = figure.layout.yaxis.ticktext
    assert name.startswith("<b>")
    assert name.replace("<br>", " ").replace("- ", "-") == f"<b>{LONG}</b>"
    lines = name.removeprefix("<b>").removesuffix("</b>").split("<br>")
    assert len(lines) > 1
    assert max(map(len, lines)) <= ROW_WIDTH
    assert short == "clmle"
    assert figure.layout.xaxis.title.text.count("<br>") == 1
    assert figure.layout.height > before
    again = figure.to_json()
    fit(figure)
    assert figure.to_json() == again


def test_a_number_stays_with_its_unit_and_tick_values_are_broken_too():
    rows = {LONG: (0.1, 0.0, 0.2), "clmle": (0.0, None, None)}
    figure = figures.differences(rows, "Effect", "gain in balanced accuracy, 95 % interval")
    fit(figure)
    assert figure.layout.xaxis.title.text == "gain in balanced<br>accuracy, 95\u00a0% interval"
    assert "<br>" in figure.layout.yaxis.ticktext[0]
    assert figure.layout.yaxis.tickvals[0] == LONG


def test_a_figure_without_a_data_frame_offers_its_drawn_points():
    table = drawn_points(figures.feasible_region(2.0, 6, 8.0, 1.0))
    assert set(table["series"]) == {
        "sum over 6 other clusters", "mean over other clusters", "of the run",
    }  # fmt: skip
    assert table[table["series"] == "of the run"][["x", "y"]].to_numpy().tolist() == [[8.0, 1.0]]


def test_short_names_are_unchanged():
    figure = board(["clmle", "softmax"])
    figure.layout.xaxis.title.text = "accuracy"
    before = figure.to_json()
    fit(figure)
    assert figure.to_json() == before
