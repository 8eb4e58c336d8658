"""The page of the paper's claims: how each was tested here, and whether it holds."""

from collections.abc import Sequence
from typing import Any

from clmle import figures
from clmle.studies.claims import (
    ANSWERS,
    CLAIM_METRICS,
    PREREGISTERED,
    claim_results,
    difference_of,
    planned,
)
from clmle.studies.endpoints import endpoint_frame
from clmle.studies.study_results import StudyResults
from tools.report.margin_loss import clusters_minus, generalization
from tools.report.markdown import Page, points_cell


def write(page: Page, studies: Sequence[StudyResults]) -> None:
    """A table for each claim: test, difference, answer."""
    page.text(
        "Each claim of the paper, tested at equal data, budget and calibration. A claim holds in a "
        "test where the whole 95 % interval of the paired difference has the expected sign, is "
        "contradicted where it has the other sign, and is open where the interval contains zero or "
        "there are fewer than three seeds. "
        "Photographs here are of CIFAR-10 and of solar cells, faces are illustrated; the paper's "
        "data (CelebA, CASIA-WebFace) and its networks are not affordable here, so a claim about "
        "them is not tested. A claim is reproduced where it holds in every test, reproduced in "
        "part where it holds in some, and not reproduced where it holds in none."
    )
    page.text(
        "The primary endpoint of the pre-registered studies on points and on photographs from "
        "scratch is the recall of the worst sub-population, with minus without Eq. 9; on "
        "pretrained features there are two: balanced accuracy, with minus without Eq. 9, and "
        "purity, clusters minus one cluster per class, both without noise. Purity is the fraction "
        "of an image's nearest neighbors of the same class that are of its sub-population. All "
        "other comparisons are secondary or exploratory, and intervals are not corrected for their "
        "number. With one cluster per class the term of Eq. 9 within a class is empty."
    )
    results = claim_results(studies)
    page.table(
        ["claim of the paper", "verdict", *(f"tests: {a}" for a in ANSWERS)],
        [
            [r.claim.text, r.verdict, *(str(r.count(a)) if r.tests else "–" for a in ANSWERS)]
            for r in results
        ],
        texts=2,
    )
    for result in results:
        page.heading(result.claim.text)
        if not result.tests:
            page.text(result.claim.reason or "Not measured yet.")
            continue
        rows = [
            [
                f"[{study.title}]({test.study}.md)",
                f"{test.first} minus {test.second}",
                CLAIM_METRICS.get(test.metric, test.metric),
                points_cell(d),
                str(d.seeds),
                answer,
            ]
            for test, study, d, answer in result.tests
        ]
        page.table(
            ["study", "comparison", "metric", "difference, pp (95 % CI)", "seeds", "answer"],
            rows,
            texts=3,
        )
        for test, study, *_ in result.tests:
            if test.note:
                page.text(f"*{study.title}:* {test.note}")
    page.heading("Mechanism")
    page.text(*mechanism({study.name: study for study in studies}))
    for study in studies:
        if regimes := generalization(study):
            _generalization_figure(page, study, regimes)


def _generalization_figure(page: Page, study: StudyResults, regimes: dict[str, Any]) -> None:
    """The effect of Eq. 9 against the margin that test data have."""
    from scipy.stats import spearmanr

    page.text(
        f"{study.title}: local margin of the minority's test data with Eq. 9 (similarity to the "
        "nearest training example of the class minus that to the nearest of another class) against "
        "what Eq. 9 changes.",
        *(
            f"Rank correlation with the effect on {endpoint} over {len(rows)} regimes: "
            f"{spearmanr([r[1] for r in rows], [r[2][0] for r in rows])[0]:+.2f}."
            for endpoint, rows in regimes.items()
        ),
    )
    page.figure(
        f"{study.name}-margin",
        figures.margin_map(
            regimes, "Effect of Eq. 9 against the margin of test data",
            "local margin of the minority's test data", "difference, pp",
        ),
        "Each point is a regime: size of a class or number of classes, with or without noise as "
        "augmentation; mean and 95 % t-interval over seeds. Above zero Eq. 9 raises the value.",
    )  # fmt: skip


def key_rows(studies: Sequence[StudyResults]) -> list[list[str]]:
    """The pre-registered tests of Eq. 9 for the summary: question, points, photographs."""
    found = {study.name: study for study in studies}
    frames: dict[str, Any] = {}
    rows = []
    for question, metric, one in (
        ("Eq. 9: balanced accuracy", "balanced_accuracy", False),
        ("Eq. 9: recall of the worst sub-population", "worst_recall", False),
        ("Eq. 9: impostor rate (lower is better)", "minority_impostor_rate", False),
        ("Eq. 9: purity", "neighbor_purity", False),
        ("clusters, not one per class: balanced accuracy", "balanced_accuracy", True),
        ("clusters, not one per class: worst sub-population", "worst_recall", True),
        ("clusters, not one per class: impostor rate", "minority_impostor_rate", True),
        ("clusters, not one per class: purity", "neighbor_purity", True),
    ):
        tests = planned(metric, one=one)
        given = [difference_of(found.get(test.study), test, frames) for test in tests]
        if any(given):
            cells = (f"{points_cell(d)}, {d.seeds} seeds" if d else "–" for d in given)
            rows.append([question, *cells])
    return rows


def key_sentence(studies: Sequence[StudyResults]) -> str:
    """What Eq. 9 itself changes, by the pre-registered tests; empty without them."""
    found = {study.name: study for study in studies}
    frames: dict[str, Any] = {}
    parts = []
    for i, where in enumerate(PREREGISTERED):
        given = []
        for metric in ("balanced_accuracy", "worst_recall", "neighbor_purity"):
            test = planned(metric)[i]
            d = difference_of(found.get(test.study), test, frames)
            given.append((CLAIM_METRICS[metric], d))
        if all(d for _, d in given):
            shown = ", ".join(f"{label} {points_cell(d)}" for label, d in given if d)
            parts.append(f"on {where}: {shown}")
    if not parts:
        return ""
    return (
        "Eq. 9 itself, pre-registered, with minus without it at equal sampling, classifier and "
        f"calibration, pp (95 % CI): {'; '.join(parts)}."
    )


def mechanism(found: dict[str, StudyResults]) -> list[str]:
    """What the studies of the dose show, in sentences with their numbers."""
    sentences = []
    for name, where in (("eq9-factorial", "points"), ("eq9-superclasses", "photographs")):
        if name not in found:
            continue
        frame = endpoint_frame(found[name].summaries)
        for key in ("minority_impostor_rate", "worst_recall", "neighbor_purity"):
            d = clusters_minus("one cluster", frame, key)
            if d is not None:
                sentences.append(
                    f"On {where}, clusters minus one cluster per class, mean over "
                    f"{d.tasks} doses, {CLAIM_METRICS[key]}: {points_cell(d)} pp."
                )
    return sentences
