"""The paper's claims, the comparisons that test each of them here, and the answers."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from clmle.studies.endpoints import ENDPOINTS, endpoint_frame
from clmle.studies.margin_loss_variants import WITHOUT
from clmle.studies.open_set_table import open_set_frame
from clmle.studies.statistics import FEWEST, Difference, paired_difference
from clmle.studies.study_results import StudyResults

CLAIM_METRICS = {**ENDPOINTS, "accuracy": "pair accuracy", "rank_one": "rank-1 identification"}
LOWER_IS_BETTER = ("minority_impostor_rate",)
# Pre-registered studies of Eq. 9 by their data: study, with clusters, with one cluster per class.
DOSE = "clusters, chosen dose", "one cluster, chosen dose"
PREREGISTERED = {
    "points with hidden modes": ("eq9-preregistered-points", *DOSE),
    "photographs, pretrained features": ("eq9-preregistered-features", "clusters", "one cluster"),
    "photographs, small network from scratch": ("eq9-preregistered-photographs", *DOSE),
}
ANSWERS = ("holds", "open", "contradicted")
UNTESTED = "not testable here"


@dataclass(frozen=True)
class Test:
    """One comparison: variant ``first`` minus ``second`` of a study by a metric."""

    study: str
    first: str
    second: str
    metric: str = "balanced_accuracy"
    note: str = ""


@dataclass(frozen=True)
class Claim:
    """A claim of the paper and its tests; without any, ``reason`` says why there are none."""

    text: str
    tests: tuple[Test, ...]
    reason: str = ""


@dataclass(frozen=True)
class ClaimResult:
    """The tests of a claim that have results, each with its study, difference and answer."""

    claim: Claim
    tests: Sequence[tuple[Test, StudyResults, Difference, str]]

    def count(self, answer: str) -> int:
        """Number of tests with this answer."""
        return sum(found == answer for *_, found in self.tests)

    @property
    def verdict(self) -> str:
        """``reproduced`` where every test holds, ``not reproduced`` where none does."""
        if not self.claim.tests:
            return UNTESTED
        if not self.tests:
            return "not measured yet"
        held = self.count("holds")
        if held == len(self.tests):
            return "reproduced"
        return "reproduced in part" if held else "not reproduced"


def planned(metric: str, *, one: bool = False) -> tuple[Test, ...]:
    """Clusters minus training without Eq. 9, or minus one cluster per class, on all three data."""
    return tuple(
        Test(study, clusters, single if one else WITHOUT, metric)
        for study, clusters, single in PREREGISTERED.values()
    )


def _claims() -> tuple[Claim, ...]:
    """Every claim of the paper with its tests (claims.csv); one without a study has a reason."""
    text = (files("clmle.studies") / "claims.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    found: dict[str, list[Test]] = {}
    for row in rows:
        found.setdefault(row.pop("claim"), []).append(Test(**row))
    return tuple(
        Claim(claim, tuple(t for t in tests if t.study), "" if tests[0].study else tests[0].note)
        for claim, tests in found.items()
    )


CLAIMS = _claims()


def claim_results(studies: Iterable[StudyResults]) -> list[ClaimResult]:
    """Each claim with the results of its tests in ``studies``."""
    found = {study.name: study for study in studies}
    frames: dict[str, Any] = {}
    results = []
    for claim in CLAIMS:
        rows = []
        for test in claim.tests:
            study = found.get(test.study)
            d = difference_of(study, test, frames)
            if study is not None and d is not None:
                rows.append((test, study, d, claim_answer(d, test.metric)))
        results.append(ClaimResult(claim, rows))
    return results


def claim_answer(d: Difference, metric: str) -> str:
    """Whether the interval of three seeds or more has the sign that the claim expects."""
    if d.low is None or d.high is None or d.seeds < FEWEST:
        return "open"
    low, high = (-d.high, -d.low) if metric in LOWER_IS_BETTER else (d.low, d.high)
    return "holds" if low > 0 else "contradicted" if high < 0 else "open"


def difference_of(
    study: StudyResults | None, test: Test, frames: dict[str, Any]
) -> Difference | None:
    """The paired difference of a test, None without its results; ``frames`` keeps what it reads."""
    if study is None:
        return None
    if study.name not in frames:
        make = open_set_frame if study.name == "recognition" else endpoint_frame
        frames[study.name] = make(study.summaries)
    frame = frames[study.name]
    if test.metric not in frame or frame[test.metric].isna().all():
        return None
    return paired_difference(frame, test.first, test.second, test.metric, n_bootstrap=0)
