"""Figures of results show the given numbers; exported files are small and reproducible."""

import os
import re
import shutil
import signal
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pandas
import pytest

from clmle import figures
from clmle.errors import InputError
from clmle.figures import export

needs_browser = pytest.mark.skipif(
    not any(map(shutil.which, export.BROWSERS)), reason="no Chromium here: figures are not drawn"
)
CURVES = {"clmle": (np.array([10, 20]), np.array([[0.6, 0.8], [0.7, 0.9]]))}


def gains():
    return pandas.DataFrame(
        {"task": ["Bald", "Smiling"], "minority": [0.02, 0.48], "gain": [0.3, 0.1],
         "low": [0.2, np.nan], "high": [0.4, np.nan]}
    )  # fmt: skip


def test_leaderboard_keeps_the_order_and_draws_every_seed():
    seeds = {f"method {i}": [0.9 - i / 100, 0.8 - i / 100] for i in range(45)}
    figure = figures.leaderboard(
        seeds, {"method 0": (0.8, 0.95), "method 1": (None, None)}, highlight=["method 3"]
    )
    dots = [(n, v) for t in figure.data[::2] for n, v in zip(t.y, t.x, strict=True)]
    assert sorted(dots) == sorted((n, v) for n, values in seeds.items() for v in values)
    assert list(figure.layout.yaxis.tickvals) == list(seeds)
    top, bottom = figure.layout.yaxis.range[::-1]
    assert top < bottom, "the first row must be on top"
    means = figure.data[1]
    assert means.x[0] == pytest.approx(0.85)
    assert means.error_x.array[0] == pytest.approx(0.1)
    assert means.error_x.array[1] is None
    assert figure.layout.height > 45 * 18, "names need a line each"
    assert list(figure.data[3].y) == ["method 3"]
    assert figure.data[3].marker.color != means.marker.color


def test_a_single_value_gets_a_narrow_axis():
    low, high = figures.leaderboard({"a": [0.9, 0.9]}, {}).layout.xaxis.range
    assert 0.8 < low < 0.9 < high < 1


def test_the_forest_plot_marks_intervals_above_below_and_around_zero_by_color_and_shape():
    rows = {"a": (0.1, 0.05, 0.15), "b": (0.0, -0.1, 0.1), "c": (-0.2, -0.3, -0.1),
            "d": (0.1, None, None)}  # fmt: skip
    figure = figures.differences(rows, "t", "x")
    kinds = {t.name: list(t.y) for t in figure.data}
    assert kinds == {"interval above 0": ["a"], "interval contains 0": ["b"],
                     "interval below 0": ["c"], "no interval": ["d"]}  # fmt: skip
    assert len({t.marker.symbol for t in figure.data}) == 4
    for trace in figure.data[:3]:
        _, low, high = rows[trace.y[0]]
        assert trace.x[0] - trace.error_x.arrayminus[0] == pytest.approx(low)
        assert trace.x[0] + trace.error_x.array[0] == pytest.approx(high)
    assert any(s.x0 == s.x1 == 0 for s in figure.layout.shapes), "the line at zero"


def test_gains_are_ordered_from_the_most_balanced_task_to_the_least():
    figure = figures.gain_by_imbalance({"softmax": gains()}, "t")
    assert list(figure.layout.yaxis.ticktext) == ["Smiling, 48.0 %", "Bald, 2.0 %"]
    (trace,) = figure.data
    assert dict(zip(trace.y, trace.x, strict=True)) == {1: 0.3, 0: 0.1}
    assert trace.error_x.array[0] == pytest.approx(0.1)
    assert trace.error_x.array[1] is None


def test_learning_curves_show_mean_band_level_and_crossing():
    figure = figures.training_curves(CURVES, "t", level=0.75, reached={"clmle": 15.0})
    band, line, star = figure.data
    assert line.y == pytest.approx([0.65, 0.85])
    assert max(band.y) == pytest.approx(0.85 + np.std([0.8, 0.9], ddof=1))
    assert (star.x[0], star.y[0]) == (15.0, 0.75)
    assert figure.layout.shapes[0].y0 == 0.75


@pytest.mark.parametrize(
    ("values", "kind"),
    [((1, 2, 5), None), ((1, 10), "log"), ((25, 100, 800), "log"), ((0, 100), None)],
)
def test_the_axis_is_logarithmic_where_values_span_a_decade(values, kind):
    figure = figures.one_factor({v: [0.5, 0.7] for v in values}, "t", "x")
    assert figure.layout.xaxis.type == kind
    dots, line = figure.data
    assert len(dots.x) == 2 * len(values)
    assert line.y == pytest.approx([0.6] * len(values))


def test_lines_of_methods_differ_in_more_than_color():
    series = {f"m{i}": {1: [0.5], 100: [0.6]} for i in range(7)}
    lines = figures.factor_lines(series, "t", "x").data[1::2]
    assert len({t.marker.symbol for t in lines}) == 7
    assert len({t.line.color for t in lines}) == 7


def test_the_heat_map_shows_mean_and_spread_as_text():
    means = np.array([[0.5, 0.61], [0.7, np.nan]])
    figure = figures.two_factors(means, ["a", "b"], ["c", "d"], "t", spreads=means / 100)
    assert list(figure.data[0].text[0]) == ["0.500 ± 0.005", "0.610 ± 0.006"]
    assert figure.data[0].text[1][1] == ""
    assert list(figure.data[0].z[1]) == [0.7, None]


@needs_browser
def test_an_exported_figure_is_reproducible_small_and_holds_its_text(tmp_path):
    figure = figures.differences({"0.123456": (0.1, 0.05, 0.15)}, "Title & more", "axis")
    first, second = tmp_path / "a" / "one.svg", tmp_path / "two.svg"
    export.to_svgs({str(first): figure, str(second): figure})
    text = first.read_text()
    assert text == second.read_text()
    root = ElementTree.fromstring(text)
    assert (root.get("width"), root.get("height")) == ("900", str(figure.layout.height))
    words = " ".join(root.itertext())
    for expected in ("Title & more", "axis", "0.123456", "interval above 0"):
        assert expected in words
    assert len(text) < 15_000
    assert "base64" not in text
    assert "<script" not in text
    named = set(re.findall(r'id="([^"]+)"', text))
    assert set(re.findall(r"url\(#([^)]+)\)", text)) <= named, "every clip path is there"
    assert export.digest_in(first) == export.digest(figure)


def test_the_digest_changes_with_the_numbers_only():
    one, same, other = (
        figures.differences({"a": (v, 0.05, 0.15)}, "t", "x") for v in (0.1, 0.1 + 1e-12, 0.11)
    )
    assert export.digest(one) == export.digest(same) != export.digest(other)


def test_export_without_a_browser_raises_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(export, "BROWSERS", ())
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path / "none"))
    with pytest.raises(InputError, match=r"none could be started: install Chromium"):
        export.to_svg(figures.class_counts(["a"], {"x": [1]}), tmp_path / "a.svg")
    assert not list(tmp_path.glob("*.svg"))


def started_by(pid):
    """Processes that this one has started and that are still there."""
    reported = [file.read_text().split() for file in Path(f"/proc/{pid}/task").glob("*/children")]
    return {int(child) for children in reported for child in children}


def draw_until_killed(whom):
    before = started_by(os.getpid())
    with export._browser_page() as page:
        (driver,) = started_by(os.getpid()) - before
        os.kill(driver if whom == "driver" else min(started_by(driver)), signal.SIGKILL)
        page.evaluate("() => new Promise(done => setTimeout(done, 20000))")


@needs_browser
@pytest.mark.parametrize("whom", ["driver", "browser"])
def test_a_process_killed_while_drawing_raises_one_sentence(whom):
    with pytest.raises(InputError, match="ended early"):
        draw_until_killed(whom)
