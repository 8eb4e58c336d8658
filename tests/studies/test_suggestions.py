"""Suggested settings rest on studies that are shipped, and follow the counts."""

from pathlib import Path

import pytest

from clmle.errors import InputError
from clmle.methods import method_names
from clmle.studies import read_study, suggest
from clmle.studies.statistics import reference_difference
from clmle.studies.suggestions import FEW, FEW_VALIDATION

RESULTS = Path(__file__).resolve().parents[2] / "docs" / "results"
PROBLEMS = [
    ([900, 90], [], {}), ([100, 100], [30, 30], {}), ([900, 20], [300, 30], {}),
    ([5000, 50] * 5, [], {"features": True}), ([900, 30], [], {"features": True}),
    ([900, 90], [300, 30], {"attributes": 14}), ([900, 90], [300, 3], {}),
    ([90_000, 9_000], [], {}),
]  # fmt: skip


@pytest.mark.parametrize(("counts", "validation", "more"), PROBLEMS)
def test_each_setting_has_a_reason_and_a_shipped_study(counts, validation, more):
    found = suggest(counts, validation, **more)
    assert set(found.methods) <= set(method_names())
    for one in found.settings:
        assert one.reason.endswith(".")
        assert not one.study or (RESULTS / f"{one.study}.jsonl").exists()
    without = [one.setting for one in found.settings if not one.study]
    assert without == (["calibration"] if min(validation, default=99) < FEW_VALIDATION else [])


def test_no_threshold_is_fitted_to_a_few_validation_images():
    assert suggest([900, 90], [300, FEW_VALIDATION - 1]).calibration == "none"
    assert suggest([900, 90], [300, FEW_VALIDATION]).calibration == "threshold"


def test_the_method_follows_ratio_and_minority():
    assert suggest([100, 90]).methods == ("softmax",)
    assert suggest([5000, FEW]).methods[0] == "oversampling"
    assert suggest([5000, FEW - 1]).methods[0] == "softmax"
    assert suggest([500, 0, 60]).problem == "2 classes, 8.33 to 1, 60 images in the smallest"


@pytest.mark.parametrize("counts", [[], [5], [0, 7]])
def test_fewer_than_two_classes_are_refused(counts):
    with pytest.raises(InputError, match="two classes or more"):
        suggest(counts)


def difference(study, variant):
    found = read_study(study, RESULTS / f"{study}.jsonl")
    return reference_difference(found, variant)


def test_the_claims_of_the_reasons_are_those_of_the_stored_studies():
    """Where a reason says that no difference is shown, the interval contains zero."""
    d = difference("margin-loss", "without Eq. 9")
    assert d.low < 0 < d.high
    d = difference("preregistered-solar-cells", "softmax + threshold tuning")
    assert d.low < 0 < d.high
    d = difference("preregistered-imbalance", "oversampling + threshold tuning")
    assert d.low < 0 < d.high
    d = difference("attributes", "moon + threshold tuning")
    assert d.low < 0 < d.high
    assert max(abs(difference("cluster-size", f"l = {n}").mean) for n in (25, 50, 800)) <= 0.0051
