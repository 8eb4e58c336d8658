"""Corrections name existing options, with the defaults of the printed and the corrected method."""

import re
from dataclasses import asdict

import pytest

import clmle
from clmle.margins import MarginBounds
from clmle.paper import ALL_AT_ONCE, CORRECTIONS
from clmle.presets import preset_config
from clmle.studies.catalog import STUDIES


def options(text):
    """'scale=8, rule="mean"' as a dictionary."""
    return dict(eval(f"dict({text})"))


def defaults(method):
    config = preset_config("quick", method)
    return asdict(config.options) | {"calibration": config.train.calibration}


@pytest.mark.parametrize("correction", CORRECTIONS, ids=lambda c: c.name)
def test_switches_are_the_defaults_of_the_printed_and_the_corrected_method(correction):
    printed, corrected = correction.switches
    if printed.startswith("margin_bounds"):
        assert clmle.margin_bounds
        for text in correction.switches:
            assert hasattr(MarginBounds, text.rpartition(".")[2])
        return
    old, new = defaults("clmle-paper"), defaults("clmle")
    for name, value in options(corrected).items():
        assert new[name] == value, name
    for name, value in options(printed).items():
        if name != "without_replacement":  # has no effect on the printed sampler
            assert old[name] == value, name
    assert set(options(corrected)) == set(options(printed))


@pytest.mark.parametrize("trial", [c.trial for c in CORRECTIONS if c.trial] + [ALL_AT_ONCE])
def test_trials_are_variants_of_studies(trial):
    study, variant = trial
    assert variant in STUDIES[study].variants


def test_formulas_are_balanced():
    for correction in CORRECTIONS:
        for formula in (correction.printed, correction.corrected):
            assert formula.count("{") == formula.count("}")
            assert len(re.findall(r"\\left\W", formula)) == len(re.findall(r"\\right\W", formula))
            assert formula.count("\\begin") == formula.count("\\end")
