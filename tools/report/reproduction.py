"""The page of the paper's claims: how each was tested here, and whether it holds."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clmle import figures
from clmle.studies.catalog.margin_loss import WITHOUT
from clmle.studies.endpoints import ENDPOINTS, endpoint_frame
from clmle.studies.open_set_table import open_set_frame
from clmle.studies.statistics import Difference, paired_difference
from clmle.studies.study_results import StudyResults
from tools.report.margin_loss import clusters_minus_one, gaps
from tools.report.markdown import Page, points_cell

LABELS = {**ENDPOINTS, "accuracy": "pair accuracy", "rank_one": "rank-1 identification"}
LOWER_IS_BETTER = ("minority_impostor_rate",)
POINTS, PHOTOGRAPHS = "eq9-preregistered-points", "eq9-preregistered-photographs"
CHOSEN, ONE = "clusters, chosen dose", "one cluster, chosen dose"


@dataclass(frozen=True)
class Test:
    """One comparison: variant ``first`` minus ``second`` of a study by a metric."""

    study: str
    first: str
    second: str
    metric: str = "balanced_accuracy"
    note: str = ""


def both(metric: str, second: str = WITHOUT) -> tuple[Test, Test]:
    """The pre-registered comparison on points and on photographs."""
    return Test(POINTS, CHOSEN, second, metric), Test(PHOTOGRAPHS, CHOSEN, second, metric)


def _claims() -> tuple[tuple[str, tuple[Test, ...]], ...]:
    """Every claim of the paper with its tests, from claims.csv."""
    with open(Path(__file__).with_name("claims.csv"), encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    found: dict[str, list[Test]] = {}
    for row in rows:
        found.setdefault(row.pop("claim"), []).append(Test(**row))
    return tuple((claim, tuple(tests)) for claim, tests in found.items())


CLAIMS = _claims()


def write(page: Page, studies: Sequence[StudyResults]) -> None:
    """A table for each claim: test, difference, answer."""
    page.text(
        "Each claim of the paper, tested at equal data, budget and calibration. A claim holds in a "
        "test where the whole 95 % interval of the paired difference has the expected sign, is "
        "contradicted where it has the other sign, and is open where the interval contains zero or "
        "there are fewer than three seeds. "
        "Photographs here are of CIFAR-10 and of solar cells, faces are illustrated; the paper's "
        "data (CelebA, CASIA-WebFace) and its networks are not affordable here, so a claim about "
        "them is not tested."
    )
    page.text(
        "The primary endpoint of the two pre-registered studies is the recall of the worst "
        "sub-population, with minus without Eq. 9; balanced accuracy and impostor rate of the same "
        "comparison and the purity of clusters minus one cluster were planned as secondary. All "
        "other comparisons are exploratory, and intervals are not corrected for their number. With "
        "one cluster per class the term of Eq. 9 within a class is empty."
    )
    found = {study.name: study for study in studies}
    frames: dict[str, Any] = {}
    summary = []
    tables = []
    for claim, tests in CLAIMS:
        rows, answers = [], []
        for test in tests:
            d = difference(found.get(test.study), test, frames)
            if d is None:
                continue
            answers.append(answer(d, test.metric))
            rows.append(
                [
                    f"[{found[test.study].title}]({test.study}.md)",
                    f"{test.first} minus {test.second}",
                    LABELS.get(test.metric, test.metric.replace("_", " ")),
                    points_cell(d),
                    str(d.seeds),
                    answers[-1],
                ]
            )
        if rows:
            summary.append([claim, *(str(answers.count(a)) for a in ANSWERS)])
            tables.append((claim, rows))
    page.table(["claim of the paper", *(f"tests: {a}" for a in ANSWERS)], summary)
    for claim, rows in tables:
        page.heading(claim)
        page.table(
            ["study", "comparison", "metric", "difference, pp (95 % CI)", "seeds", "answer"],
            rows,
            texts=3,
        )
        for test in dict(CLAIMS)[claim]:
            if test.note and test.study in found:
                page.text(f"*{found[test.study].title}:* {test.note}")
    page.heading("Mechanism")
    page.text(*mechanism(found))
    regimes = {study.title: found_gaps for study in studies if (found_gaps := gaps(study))}
    if regimes:
        _gap_figure(page, regimes)


def _gap_figure(page: Page, regimes: dict[str, Any]) -> None:
    """The effect of Eq. 9 against the part of its margin that does not generalize."""
    from scipy.stats import spearmanr

    flat = [(gap, effect[0]) for rows in regimes.values() for _, gap, effect in rows]
    rank, p = spearmanr(*zip(*flat, strict=True))
    page.text(
        "Gap: mean local margin of the minority's training images minus that of its test images, "
        f"with Eq. 9. Over {len(flat)} regimes the rank correlation of the gap with the effect of "
        f"Eq. 9 on balanced accuracy is {rank:+.2f} (p = {p:.2g})."
    )
    page.figure(
        "margin-gap",
        figures.gap_map(
            regimes, "Effect of Eq. 9 against the train/test gap of the margin",
            "margin on training images minus margin on test images", "balanced accuracy, pp",
        ),
        "Each point is a regime: size of the minority, with or without noise as augmentation; mean "
        "and 95 % t-interval over seeds. Above zero Eq. 9 helps.",
    )  # fmt: skip


ANSWERS = ("holds", "open", "contradicted")
FEWEST = 3  # seeds of a test that can answer a question


def answer(d: Difference, metric: str) -> str:
    """Whether the interval of three seeds or more has the sign that the claim expects."""
    if d.low is None or d.high is None or d.seeds < FEWEST:
        return "open"
    low, high = (-d.high, -d.low) if metric in LOWER_IS_BETTER else (d.low, d.high)
    return "holds" if low > 0 else "contradicted" if high < 0 else "open"


def key_rows(studies: Sequence[StudyResults]) -> list[list[str]]:
    """The pre-registered tests of Eq. 9 for the summary: question, points, photographs."""
    found = {study.name: study for study in studies}
    frames: dict[str, Any] = {}
    rows = []
    for question, tests in (
        ("Eq. 9: recall of the worst sub-population (primary endpoint)", both("worst_recall")),
        ("Eq. 9: balanced accuracy", both("balanced_accuracy")),
        ("Eq. 9: impostor rate of the minority (lower is better)", both("minority_impostor_rate")),
        (
            "clusters instead of one per class: impostor rate (lower is better)",
            both("minority_impostor_rate", ONE),
        ),
        ("clusters instead of one per class: purity", both("neighbor_purity", ONE)),
        ("clusters instead of one per class: worst sub-population", both("worst_recall", ONE)),
    ):
        given = [difference(found.get(test.study), test, frames) for test in tests]
        if any(given):
            cells = (f"{points_cell(d)}, {d.seeds} seeds" if d else "–" for d in given)
            rows.append([question, *cells])
    return rows


def key_sentence(studies: Sequence[StudyResults]) -> str:
    """What Eq. 9 itself changes, by the pre-registered tests; empty without them."""
    found = {study.name: study for study in studies}
    frames: dict[str, Any] = {}
    parts = []
    for name, where in ((POINTS, "points with hidden modes"), (PHOTOGRAPHS, "photographs")):
        given = [
            (
                LABELS[metric],
                difference(found.get(name), Test(name, CHOSEN, WITHOUT, metric), frames),
            )
            for metric in ("worst_recall", "balanced_accuracy", "minority_impostor_rate")
        ]
        if all(d for _, d in given):
            shown = ", ".join(f"{label} {points_cell(d)}" for label, d in given if d)
            parts.append(f"on {where}: {shown}")
    if not parts:
        return ""
    return (
        "Eq. 9 itself, pre-registered, with minus without it at equal sampling, classifier and "
        f"calibration, pp (95 % CI): {'; '.join(parts)}."
    )


def difference(study: StudyResults | None, test: Test, frames: dict[str, Any]) -> Difference | None:
    """The paired difference of a test, None without its results."""
    if study is None:
        return None
    if study.name not in frames:
        make = open_set_frame if study.name == "recognition" else endpoint_frame
        frames[study.name] = make(study.summaries)
    frame = frames[study.name]
    if test.metric not in frame or frame[test.metric].isna().all():
        return None
    return paired_difference(frame, test.first, test.second, test.metric, n_bootstrap=0)


def mechanism(found: dict[str, StudyResults]) -> list[str]:
    """What the studies of the dose show, in sentences with their numbers."""
    sentences = []
    for name, where in (("eq9-factorial", "points"), ("eq9-superclasses", "photographs")):
        if name not in found:
            continue
        frame = endpoint_frame(found[name].summaries)
        for key in ("minority_impostor_rate", "worst_recall", "neighbor_purity"):
            d = clusters_minus_one(frame, key)
            if d is not None:
                sentences.append(
                    f"On {where}, clusters minus one cluster per class, mean over "
                    f"{d.tasks} doses, {LABELS[key]}: {points_cell(d)} pp."
                )
    return sentences
