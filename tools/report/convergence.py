"""The page of convergence (Fig. 3 of the paper): iterations to reach a level."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from clmle import figures
from clmle.studies.convergence import LearningCurve, iterations_to, learning_curves
from clmle.studies.study_results import OURS, StudyResults
from clmle.text import counted
from tools.report.markdown import Page, number
from tools.report.presets import labeled

SHOWN = 6  # levels in the table, the highest


def write(page: Page, study: StudyResults) -> None:
    """Ratios to CLMLE, iterations to every level, and the learning curves."""
    found = learning_curves(study.summaries)
    if not found:
        page.text("No run of this study has a learning curve.")
        return
    marks = levels(found)[-SHOWN:]
    if marks:
        page.text("**Result.**", *compare(study, found, marks[-1]))
        page.heading("Results")
        page.text(
            "Iterations (and seconds) until the mean validation balanced accuracy over tasks first "
            "reaches a level, interpolated between rounds; means over the seeds that reach it. "
            "A run that is above a level after its first round counts from there."
        )
        rows = [
            [labeled(study, n), *(_reached(c, level) for level in marks)] for n, c in found.items()
        ]
        page.table(["method", *(number(level, 2) for level in marks)], rows)
    left = sum(c.left_out for c in found.values())
    if left:
        page.text(f"{counted(left, 'run')} on tasks that not every method ran: left out.")
    level = marks[-1] if marks else None
    figure = figures.training_curves(
        {n: (c.steps, c.values) for n, c in found.items()},
        "Validation metric during training",
        level=level,
        reached={} if level is None else _mean_crossings(found, level),
    )
    text = "Lines: mean over tasks and seeds; bands: one standard deviation over seeds"
    text += "." if level is None else f"; stars: iterations to {level:.2f}."
    page.figure(study.name, figure, study.caption(text))


def compare(study: StudyResults, found: Mapping[str, LearningCurve], level: float) -> list[str]:
    """Iterations and seconds of every other method to the level, relative to CLMLE."""
    if OURS not in found or not crossings(found[OURS], level):
        return []
    steps, seconds = np.mean(crossings(found[OURS], level), axis=0)
    lines = []
    for name, curve in found.items():
        other = crossings(curve, level)
        if name != OURS and other:
            more, longer = np.mean(other, axis=0)
            lines.append(
                f"To reach {level:.2f}, {name} takes {more / steps:.2f} times the iterations and "
                f"{longer / max(seconds, 1e-9):.2f} times the seconds of `{labeled(study, OURS)}`."
            )
    return lines


def crossings(curve: LearningCurve, level: float) -> list[tuple[float, float]]:
    """Iterations and seconds at which each seed's curve reaches ``level``, if it does."""
    found = (
        iterations_to(list(zip(curve.steps, seconds, values, strict=True)), level)
        for seconds, values in zip(curve.seconds, curve.values, strict=True)
    )
    return [point for point in found if point is not None]


def levels(found: Mapping[str, LearningCurve], step: float = 0.05) -> list[float]:
    """Multiples of ``step`` above every first value that the mean curves of two variants reach."""
    best = sorted(float(c.values.mean(axis=0).max()) for c in found.values())
    if len(best) < 2:
        return []
    start = min(float(c.values[:, 0].mean()) for c in found.values())
    first, last = int(np.ceil(start / step + 1e-9)), int(np.floor(best[-2] / step + 1e-9))
    return [round(k * step, 10) for k in range(first, last + 1)]


def _reached(curve: LearningCurve, level: float) -> str:
    """120 (14 s), with the number of seeds if not all reach the level."""
    found = crossings(curve, level)
    if not found:
        return "not reached"
    steps, seconds = np.mean(found, axis=0)
    seeds = len(curve.values)
    some = "" if len(found) == seeds else f", {len(found)} of {seeds} seeds"
    return f"{steps:.0f} ({seconds:.0f} s{some})"


def _mean_crossings(found: Mapping[str, LearningCurve], level: float) -> dict[str, float]:
    """Where the mean curve of each method crosses the level."""
    reached = {}
    for name, c in found.items():
        mean = replace(c, values=c.values.mean(axis=0)[None], seconds=c.seconds.mean(axis=0)[None])
        for steps, _ in crossings(mean, level):
            reached[name] = steps
    return reached
