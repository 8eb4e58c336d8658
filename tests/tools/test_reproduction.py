"""The page of claims answers from intervals, and only where there are seeds enough."""

import re
from pathlib import Path

import pytest

from clmle.studies import claims
from clmle.studies.statistics import Difference
from clmle.studies.study_results import read_studies
from tools.report import reproduction
from tools.report.markdown import Page

RESULTS = Path(__file__).resolve().parents[2] / "docs" / "results"


def found(mean, low, high, seeds=6):
    return Difference("a", "b", mean, low, high, None, 1, 2, 0, 1, seeds)


@pytest.mark.parametrize(
    ("d", "metric", "expected"),
    [
        (found(0.02, 0.01, 0.03), "balanced_accuracy", "holds"),
        (found(0.02, -0.01, 0.05), "balanced_accuracy", "open"),
        (found(-0.02, -0.03, -0.01), "balanced_accuracy", "contradicted"),
        (found(-0.02, -0.03, -0.01), "minority_impostor_rate", "holds"),
        (found(0.02, 0.01, 0.03), "minority_impostor_rate", "contradicted"),
        (found(0.02, 0.01, 0.03, seeds=2), "balanced_accuracy", "open"),
        (found(0.02, None, None, seeds=1), "balanced_accuracy", "open"),
    ],
)
def test_answers_follow_the_interval_and_its_direction(d, metric, expected):
    assert claims.claim_answer(d, metric) == expected


def test_every_test_of_a_claim_names_a_stored_comparison():
    studies = {study.name: study for study in read_studies(RESULTS)}
    frames = {}
    for claim in claims.CLAIMS:
        assert bool(claim.tests) != bool(claim.reason), claim
        for test in claim.tests:
            assert test.study in studies, test
            assert claims.difference_of(studies[test.study], test, frames) is not None, test


@pytest.mark.parametrize(
    ("answers", "verdict"),
    [
        (["holds", "holds"], "reproduced"),
        (["holds", "open"], "reproduced in part"),
        (["open", "contradicted"], "not reproduced"),
        ([], "not measured yet"),
    ],
)
def test_the_verdict_follows_from_the_answers(answers, verdict):
    claim = claims.CLAIMS[0]
    assert claims.ClaimResult(claim, [(None, None, None, a) for a in answers]).verdict == verdict
    assert claims.ClaimResult(claims.Claim("c", (), "why"), []).verdict == claims.UNTESTED


def test_counts_of_the_summary_are_those_of_the_tables():
    page = Page("t")
    reproduction.write(page, read_studies(RESULTS))
    text = page.markdown()
    tables = text.split("## Mechanism")[0]
    for answer in claims.ANSWERS:
        column = 1 + claims.ANSWERS.index(answer)
        rows = re.findall(r"^\| [^|]+ \| [^|]+ \| (\d+) \| (\d+) \| (\d+) \|$", tables, flags=re.M)
        assert sum(int(row[column - 1]) for row in rows) == tables.count(f"| {answer} |")
