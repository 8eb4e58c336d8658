"""The aims of the summary are reached only where the interval and the size say so."""

from pathlib import Path

import pytest

from clmle.studies.statistics import Difference
from clmle.studies.study_results import read_studies
from tools.report import aims

RESULTS = Path(__file__).resolve().parents[2] / "docs" / "results"


def found(mean, low, high, seeds=6):
    return Difference("a", "b", mean, low, high, None, 1, 2, 0, 1, seeds)


@pytest.mark.parametrize(
    ("d", "reached"),
    [
        (found(0.012, 0.002, 0.022), True),
        (found(0.009, 0.005, 0.013), False),  # above zero, but smaller than aimed at
        (found(0.05, -0.01, 0.11), False),  # large, but zero is in its interval
        (found(-0.05, -0.06, -0.04), False),
        (found(0.05, 0.04, 0.06, seeds=2), False),
    ],
)
def test_an_aim_needs_its_size_and_an_interval_above_zero(d, reached, monkeypatch):
    monkeypatch.setattr(aims, "difference_of", lambda study, test, frames: d)
    monkeypatch.setattr(aims, "AIMS", aims.AIMS[:1])
    ((_, _, answer, why),) = aims.rows([])
    assert (answer == "reached") == reached
    assert (why == "") == reached


@pytest.mark.parametrize(("mean", "reached"), [(-0.06, True), (-0.04, False), (0.06, False)])
def test_fewer_impostors_are_better(mean, reached, monkeypatch):
    d = found(mean, mean - 0.01, mean + 0.01)
    monkeypatch.setattr(aims, "difference_of", lambda study, test, frames: d)
    own = [aim for aim in aims.AIMS if "fewer impostors" in aim.text]
    monkeypatch.setattr(aims, "AIMS", own[:1])
    assert (aims.rows([])[0][2] == "reached") == reached


def test_every_aim_is_measured_and_one_that_is_not_reached_has_a_diagnosis():
    rows = aims.rows(read_studies(RESULTS))
    assert len(rows) == len(aims.AIMS) + 1  # and the ranks
    assert all(measured and (why or answer == "reached") for _, measured, answer, why in rows)
    assert rows[-1][1].endswith("of 16")
