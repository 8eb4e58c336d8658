"""How fast: validation figures along training, and the iterations to reach a level of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Summaries = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Course:
    """Validation figure of one variant against iterations, a row a seed.

    ``steps`` (n,), ``values`` and ``seconds`` (seeds, n): means over the tasks that every seed
    has, between rounds by linear interpolation; ``tasks`` of them, ``left_out`` runs unused.
    """

    steps: np.ndarray
    values: np.ndarray
    seconds: np.ndarray
    tasks: int
    left_out: int

    @property
    def seeds(self) -> int:
        return len(self.values)


def courses(summaries: Summaries) -> dict[str, Course]:
    """The course of every variant, in order of appearance; variants without one are left out."""
    names = dict.fromkeys(s["variant"] for s in summaries if s.get("learning_curve"))
    kept = _common_tasks([s for s in summaries if s.get("learning_curve")])
    found = {}
    for name in names:
        mine = [s for s in summaries if s["variant"] == name and s.get("learning_curve")]
        runs = [s for s in mine if s["task"] in kept]
        if runs:
            found[name] = _course(runs, len(mine) - len(runs))
    return found


def iterations_to(course: Sequence[Sequence[float]], level: float) -> tuple[float, float] | None:
    """Iterations and seconds at which a run first reaches ``level``; None where it never does.

    ``course`` holds (iterations, seconds, figure), one line a round; between two rounds both
    are interpolated linearly. A run that starts at or above the level counts from its first
    round: there is nothing earlier to interpolate from.
    """
    before = None
    for step, seconds, value in course:
        if value >= level:
            if before is None:
                return float(step), float(seconds)
            part = (level - before[2]) / (value - before[2])
            return (
                before[0] + part * (step - before[0]),
                before[1] + part * (seconds - before[1]),
            )
        before = (step, seconds, value)
    return None


def crossings(course: Course, level: float) -> list[tuple[float, float]]:
    """Iterations and seconds at which each seed's mean course reaches ``level``, if it does."""
    lines = (
        iterations_to(
            list(zip(course.steps, course.seconds[i], course.values[i], strict=True)), level
        )
        for i in range(course.seeds)
    )
    return [found for found in lines if found is not None]


def levels(found: Mapping[str, Course], step: float = 0.05) -> list[float]:
    """Multiples of ``step`` above every first figure's mean that at least two variants reach.

    A variant reaches a level where its mean course over seeds does; [] for a single variant.
    """
    best = sorted(float(c.values.mean(axis=0).max()) for c in found.values())
    if len(best) < 2:
        return []
    start = min(float(c.values[:, 0].mean()) for c in found.values())
    first, last = int(np.ceil(start / step + 1e-9)), int(np.floor(best[-2] / step + 1e-9))
    return [round(k * step, 10) for k in range(first, last + 1)]


def _common_tasks(summaries: Summaries) -> set[str]:
    """Tasks that every variant ran with every seed; all tasks where there is none such."""
    pairs = {(s["variant"], s["seed"]) for s in summaries}
    tasks = {s["task"] for s in summaries}
    have = {(s["variant"], s["seed"], s["task"]) for s in summaries}
    return {t for t in tasks if all((v, seed, t) in have for v, seed in pairs)} or tasks


def _course(runs: Summaries, left_out: int) -> Course:
    """Mean over tasks on the steps that lie inside every run's course."""
    lines = [np.asarray(s["learning_curve"], dtype=np.float64) for s in runs]
    first, last = max(c[0, 0] for c in lines), min(c[-1, 0] for c in lines)
    steps = np.unique(np.concatenate([c[:, 0] for c in lines]))
    steps = steps[(steps >= first) & (steps <= last)]
    if not len(steps):  # courses that do not overlap have no mean: each ends where it ends
        steps = np.array([last])
    values, seconds = [], []
    for seed in sorted({s["seed"] for s in runs}):
        mine = [c for s, c in zip(runs, lines, strict=True) if s["seed"] == seed]
        values.append(np.mean([np.interp(steps, c[:, 0], c[:, 2]) for c in mine], axis=0))
        seconds.append(np.mean([np.interp(steps, c[:, 0], c[:, 1]) for c in mine], axis=0))
    return Course(
        steps, np.array(values), np.array(seconds), len({s["task"] for s in runs}), left_out
    )
