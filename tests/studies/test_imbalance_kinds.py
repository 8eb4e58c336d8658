"""Studies and sweeps choose the kind of imbalance; keys of stored results do not change."""

import json
from pathlib import Path

import pytest

from clmle import InputError
from clmle.studies.request import StudyRequest
from clmle.studies.trials import Trial
from clmle.training import config_from_dict

RESULTS = Path(__file__).resolve().parents[2] / "docs" / "results"


def data_of(**values):
    request = StudyRequest("grid", "digits", methods=("softmax",), seeds=(0,), **values)
    return [(t.config.data.imbalance, t.config.data.ratio) for t in request.trials()]


def test_ratios_have_the_kind_asked_for():
    assert data_of(ratios=(5,)) == [("step", 5)]
    assert data_of(ratios=(5, 9), imbalance="exponential") == [
        ("exponential", 5),
        ("exponential", 9),
    ]
    varied = data_of(ratios=(5,), grid=("data.imbalance=long-tail,step",))
    assert varied == [("long-tail", 5), ("step", 5)]
    request = StudyRequest("grid", "digits", ratios=(5,), imbalance="exponential")
    assert "--imbalance=exponential" in request.arguments()
    assert StudyRequest.from_dict(request.to_dict()) == request


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"imbalance": "step"}, "give --ratios"),
        ({"ratios": (5,), "imbalance": "bent"}, "imbalance is 'bent'"),
        ({"ratios": (5,), "grid": ("data.imbalance=none,step",)}, "not possible with ratios"),
    ],
)
def test_mistakes_are_named(values, sentence):
    with pytest.raises(InputError, match=sentence):
        data_of(**values)


def test_new_options_leave_the_keys_of_stored_results():
    lines = (RESULTS / "digits.jsonl").read_text(encoding="utf-8").splitlines()[::20]
    for stored in map(json.loads, lines):
        assert Trial(stored["variant"], config_from_dict(stored["config"])).key == stored["key"]
