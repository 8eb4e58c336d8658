"""Figures on a narrow screen: long names in lines, and no more of them the second time."""

from app.widgets.figure import BESIDE, fit
from clmle import figures

LONG = "over-sampling-threshold (leaderboard)"


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
    assert max(map(len, lines)) <= BESIDE
    assert short == "clmle"
    assert figure.layout.xaxis.title.text.count("<br>") == 1
    assert figure.layout.height > before
    again = figure.to_json()
    fit(figure)
    assert figure.to_json() == again


def test_short_names_stay():
    figure = board(["clmle", "softmax"])
    figure.layout.xaxis.title.text = "accuracy"
    before = figure.to_json()
    fit(figure)
    assert figure.to_json() == before
