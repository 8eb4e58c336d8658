"""Stored results: earlier versions are read, damaged lines are left out and named."""

import json
import warnings

import pytest

from clmle.studies.results import append_result, read_results
from clmle.studies.study_results import read_study
from clmle.studies.trials import pending
from tests.studies.test_runner import LONG, SHORT, whole


def test_an_earlier_name_of_a_calibration_is_read_as_the_present_one(tmp_path):
    file = tmp_path / "study.jsonl"
    for i, name in enumerate(("offsets", "threshold", "none")):
        append_result(file, whole(SHORT) | {"key": str(i), "config": {
            "data": {}, "train": {"calibration": name}}})  # fmt: skip
    found = [summary["config"]["train"]["calibration"] for summary in read_results(file)]
    assert found == ["balanced-logistic", "threshold", "none"]


@pytest.mark.parametrize("line", [
    "", "{", "null", "[1]", "7", "{}", "\0" * 99, '{"key": "k", "variant": "v"}', "[" * 100_000,
    json.dumps(whole(LONG) | {"test": None}), json.dumps(whole(LONG) | {"config": []}),
    json.dumps(whole(LONG) | {"key": ["k"]}), json.dumps(whole(LONG) | {"seed": "1"}),
    json.dumps(whole(LONG))[:-9], "\x85" + json.dumps(whole(LONG)),
])  # fmt: skip
def test_a_damaged_line_is_left_out_and_its_trial_runs_again(line, tmp_path):
    file = tmp_path / "classifier.jsonl"
    file.write_text(f"{line}\n{json.dumps(whole(SHORT))}\n", encoding="latin-1")
    with warnings.catch_warnings(record=True) as caught:
        found = read_results(file)
    assert found == [whole(SHORT)]
    assert pending([SHORT, LONG], found) == [LONG]
    study = read_study("classifier", file)
    assert study.damaged == tuple(str(w.message) for w in caught)
    assert len(caught) == bool(line)
    assert all(f"Line 1 of {file}" in text and len(text) < 700 for text in study.damaged)
    assert study.summaries == [whole(SHORT)]
