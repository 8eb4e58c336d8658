"""Stored results of earlier versions."""

import json

from clmle.studies.results import read_results


def test_an_earlier_name_of_a_calibration_is_read_as_the_present_one(tmp_path):
    file = tmp_path / "study.jsonl"
    lines = [
        {"key": str(i), "variant": "a", "config": {"train": {"calibration": name}}}
        for i, name in enumerate(("offsets", "threshold", "none"))
    ]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    found = [summary["config"]["train"]["calibration"] for summary in read_results(file)]
    assert found == ["balanced-logistic", "threshold", "none"]
