"""Imbalanced subsets: their ratio, nesting and unchanged test data."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clmle import InputError
from clmle.data import imbalance, imbalanced_counts, load_digits

counts = st.lists(st.integers(50, 5000), min_size=2, max_size=12)


@given(counts, st.sampled_from(["exponential", "step"]), st.floats(1, 200))
def test_counts_fall_from_first_to_last_and_are_available(available, kind, ratio):
    kept = imbalanced_counts(available, kind, ratio)
    assert (kept >= 1).all()
    assert (kept <= available).all()
    assert (np.diff(kept) <= 0).all()


@given(st.integers(2, 12), st.floats(1, 100), st.sampled_from(["exponential", "step"]))
def test_ratio_is_met_up_to_rounding(n_classes, ratio, kind):
    kept = imbalanced_counts([10_000] * n_classes, kind, ratio)
    assert kept[0] / kept[-1] == pytest.approx(ratio, rel=0.02)
    assert kept[0] == 10_000


def test_subsets_are_nested_and_leave_validation_and_test_unchanged():
    task = load_digits(ratio=1).task()
    mild, strong = (imbalance(task, "exponential", r, seed=4) for r in (5.0, 20.0))
    for thinned in (mild, strong):
        assert (thinned.test == task.test).all()
        assert (thinned.validation == task.validation).all()
        assert set(thinned.train) <= set(task.train)
    smallest = np.argmin(strong.class_counts())
    rows = [set(t.train[t.labels[t.train] == smallest]) for t in (strong, mild)]
    assert rows[0] < rows[1]


def test_given_counts_are_kept_by_class():
    task = load_digits(ratio=1).task()
    wanted = [5, 10, 15, 20, 25, 30, 35, 40, 45, 50]
    assert imbalance(task, "given", counts=wanted).class_counts().tolist() == wanted


@pytest.mark.parametrize(
    "arguments", [{"ratio": 0.5}, {"kind": "bent"}, {"kind": "given", "counts": [1]}]
)
def test_an_error_names_invalid_ratios(arguments):
    with pytest.raises(InputError):
        imbalanced_counts([10, 10], **arguments)
