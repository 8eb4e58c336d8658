"""Figures of verification and identification show the given numbers."""

import numpy as np
import pytest

from clmle import figures
from clmle.errors import InputError
from clmle.metrics.by_frequency import accuracy_by_frequency
from clmle.metrics.identification import cmc
from clmle.metrics.roc import roc_curve, tar_at_far

rng = np.random.default_rng(0)
GENUINE, IMPOSTOR = rng.normal(0.5, 0.2, 400), rng.normal(0, 0.15, 5000)
CURVE = roc_curve(GENUINE, IMPOSTOR)[:2]
ROWS = [
    {"distractors": n, "rate": s, "interval": [s - 0.1, s + 0.05], "identity_interval": p}
    for n, s, p in ((1000, 0.6, None), (10, 0.9, [0.7, 0.95]))
]
IMAGE = rng.integers(0, 255, size=(8, 8, 3)).astype(np.uint8)


FIGURES = {
    "roc": lambda: figures.roc({"clmle": CURVE}, {"paper": (1e-6, 0.9185)}),
    "similarities": lambda: figures.similarities(GENUINE, IMPOSTOR, 0.3),
    "tar": lambda: figures.tar_by_far({"clmle": tar_at_far(GENUINE, IMPOSTOR)}),
    "cmc": lambda: figures.cmc_curves({"clmle": cmc([1, 1, 4, 200])}),
    "distractors": lambda: figures.rank_one_by_distractors({"a": ROWS}, {"paper": (10**6, 0.7968)}),
    "images": lambda: figures.accuracy_by_images(
        {"a": accuracy_by_frequency([9, 1], [0, 0, 1], [1, 1, 0], ends=[5], names=["t", "h"])}
    ),
    "pairs": lambda: figures.pair_strip(
        {"right_same": [(IMAGE, IMAGE, 0.5)], "wrong_different": []}
    ),
}


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_has_a_title_and_can_be_written(name):
    figure = FIGURES[name]()
    assert figure.layout.title.text
    assert len(figure.to_html(include_plotlyjs=False)) > 500
    if name != "pairs":
        assert figure.layout.xaxis.title.text
        assert figure.layout.yaxis.title.text


def test_curve_at_a_target_is_the_exact_rate():
    trace, point = FIGURES["roc"]().data
    for row in tar_at_far(GENUINE, IMPOSTOR, [0.1, 0.01, 1e-3]):
        at = np.asarray(trace.x) <= row["far"]
        assert np.asarray(trace.y)[at].max() == pytest.approx(row["tar"])
    assert (point.x[0], point.y[0]) == (1e-6, 0.9185)
    assert min(trace.x) > 0, "a logarithmic axis has no zero"
    low, high = FIGURES["roc"]().layout.xaxis.range
    assert low < -6
    assert high > 0


def test_curve_starts_at_the_left_end_with_what_is_accepted_there():
    trace = figures.roc({"a": ([0, 0, 1e-4, 1], [0, 0.4, 0.6, 1])}, smallest=1e-3).data[0]
    assert (trace.x[0], trace.y[0]) == (1e-3, 0.6)


def test_histograms_sum_to_one_and_counts_give_the_same_bars():
    figure = FIGURES["similarities"]()
    assert [sum(trace.y) for trace in figure.data] == pytest.approx([1, 1])
    assert "5,000" in figure.data[1].name
    counts, edges = np.histogram(IMPOSTOR, np.linspace(-1, 1, 4097))
    same = figures.similarities(GENUINE, counts, edges=edges)
    assert same.data[1].name == figure.data[1].name
    np.testing.assert_allclose(same.data[1].y, figure.data[1].y, atol=0.02)


def test_unresolved_rates_are_not_drawn():
    rows = tar_at_far(GENUINE, IMPOSTOR)
    (trace,) = figures.tar_by_far({"a": rows}).data
    assert list(trace.customdata) == [row["far"] for row in rows if row["tar"] is not None]
    assert 1e-6 not in trace.customdata


def test_rank_one_rates_are_ordered_and_have_intervals():
    band, line, _ = FIGURES["distractors"]().data
    assert list(line.x) == [10, 1000]
    assert list(line.y) == [0.9, 0.6]
    assert list(band.y) == pytest.approx([0.95, 0.65, 0.5, 0.7])


def test_pairs_are_described_in_words_and_by_the_frame():
    figure = FIGURES["pairs"]()
    words = [a.text for a in figure.layout.annotations]
    assert words == ["one person, accepted", "0.50", "two people, accepted: none"]
    assert len(figure.layout.images) == 2
    assert figure.layout.images[0].source.startswith("data:image/png;base64,")
    dashes = figures.pair_strip(
        {k: [(IMAGE, IMAGE, 0.1)] for k in ("right_same", "wrong_same")}
    ).layout.shapes
    assert [s.line.dash for s in dashes] == ["solid", "dash"]


@pytest.mark.parametrize(
    ("pairs", "message"),
    [({"odd": []}, "no row 'odd'"), ({"right_same": [(IMAGE / 2, IMAGE, 0.1)]}, "uint8")],
)
def test_invalid_pairs_are_refused(pairs, message):
    with pytest.raises(InputError, match=message):
        figures.pair_strip(pairs)
