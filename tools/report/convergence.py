"""How fast methods converge (Fig. 3 of the paper)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from clmle import figures
from clmle.studies.convergence import Course, courses, crossings, levels
from tools.report.markdown import Page, counted, number
from clmle.studies.study_results import OURS, Study

SHOWN = 6  # levels in the table, the highest


def section(page: Page, studies: Sequence[Study]) -> None:
    """The study ``curves``, where it is."""
    for study in studies:
        if study.name == "curves":
            page.heading(study.title)
            page.text(study.question)
            _study(page, study)


def _study(page: Page, study: Study) -> None:
    found = courses(study.summaries)
    if not found:
        page.text("No run of this study kept its course.")
        return
    marks = levels(found)[-SHOWN:]
    if marks:
        page.text(
            "Iterations (and seconds) until the validation figure, the mean over tasks, first "
            "reaches a level, interpolated between rounds; means over the seeds that reach it. "
            "A run that is above a level after its first round counts from there."
        )
        rows = [[n, *(_reach(c, level) for level in marks)] for n, c in found.items()]
        page.table(["method", *(number(level, 2) for level in marks)], rows)
        page.text(*_compare(found, marks[-1]))
    left = sum(c.left_out for c in found.values())
    if left:
        page.text(f"{counted(left, 'run')} on tasks that not every method ran: left out.")
    level = marks[-1] if marks else None
    figure = figures.training_curves(
        {n: (c.steps, c.values) for n, c in found.items()},
        "Validation figure along training",
        level=level,
        reached={} if level is None else _first(found, level),
    )
    caption = "Lines: mean over tasks and seeds; bands: one standard deviation over seeds"
    caption += "." if level is None else f"; stars: iterations to {level:.2f}."
    page.figure(study.name, figure, study.caption(caption))


def _reach(course: Course, level: float) -> str:
    """120 (14 s), with the number of seeds where not all reach it."""
    found = crossings(course, level)
    if not found:
        return "not reached"
    steps, seconds = np.mean(found, axis=0)
    some = "" if len(found) == course.seeds else f", {len(found)} of {course.seeds} seeds"
    return f"{steps:.0f} ({seconds:.0f} s{some})"


def _first(found: Mapping[str, Course], level: float) -> dict[str, float]:
    """Where the drawn mean line of each method crosses the level."""
    reached = {}
    for name, c in found.items():
        mean = Course(
            c.steps, c.values.mean(axis=0)[None], c.seconds.mean(axis=0)[None], c.tasks, 0
        )
        for steps, _ in crossings(mean, level):
            reached[name] = steps
    return reached


def _compare(found: Mapping[str, Course], level: float) -> list[str]:
    """Ours beside every other at the highest level, as a ratio of iterations and of seconds."""
    if OURS not in found or not crossings(found[OURS], level):
        return []
    steps, seconds = np.mean(crossings(found[OURS], level), axis=0)
    lines = []
    for name, course in found.items():
        theirs = crossings(course, level)
        if name == OURS or not theirs:
            continue
        more, longer = np.mean(theirs, axis=0)
        lines.append(
            f"To {level:.2f}, {name} takes {more / steps:.2f} times the iterations and "
            f"{longer / max(seconds, 1e-9):.2f} times the seconds of `{OURS}`."
        )
    return lines
