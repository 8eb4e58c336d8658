"""Repairs name switches that exist, with the values that both methods are shipped with."""

import re

import pytest

import clmle
from clmle.margins import MarginBounds
from clmle.methods import get_method
from clmle.paper import REPAIRS
from clmle.paper.repairs import ALL_AT_ONCE
from clmle.studies.catalog import STUDIES


def options(text):
    """'scale=8, rule="mean"' as a dictionary."""
    return dict(eval(f"dict({text})"))


@pytest.mark.parametrize("repair", REPAIRS, ids=lambda r: r.name)
def test_switches_are_the_defaults_of_the_printed_and_the_repaired_method(repair):
    printed, repaired = repair.switches
    if printed.startswith("margin_bounds"):
        assert clmle.margin_bounds
        for text in repair.switches:
            assert hasattr(MarginBounds, text.rpartition(".")[2])
        return
    old, new = get_method("clmle-paper").Options(), get_method("clmle").Options()
    different = set()
    for name, value in options(repaired).items():
        assert getattr(new, name) == value, name
        different.add(name)
    for name, value in options(printed).items():
        if hasattr(old, name) and name != "distinct":  # only spread batches know of distinct
            assert getattr(old, name) == value, name
    assert different == set(options(printed))


@pytest.mark.parametrize("trial", [r.trial for r in REPAIRS if r.trial] + [ALL_AT_ONCE])
def test_trials_are_variants_of_studies_that_leave_the_repair_out(trial):
    study, variant = trial
    assert variant in STUDIES[study].variants


def test_formulas_are_balanced():
    for repair in REPAIRS:
        for formula in (repair.printed, repair.repaired):
            assert formula.count("{") == formula.count("}")
            assert len(re.findall(r"\\left\W", formula)) == len(re.findall(r"\\right\W", formula))
            assert formula.count("\\begin") == formula.count("\\end")
