"""Learning curves of a study's variants, and the iterations they need to reach a level."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Summaries = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class LearningCurve:
    """Validation metric of one variant during training.

    Means over the tasks that every seed has, linearly interpolated between rounds.
    """

    steps: np.ndarray  # (n,) iterations
    values: np.ndarray  # (seeds, n)
    seconds: np.ndarray  # (seeds, n)
    left_out: int  # runs on other tasks


def learning_curves(summaries: Summaries) -> dict[str, LearningCurve]:
    """Return the mean learning curve of every variant that has one, in order of appearance."""
    summaries = [s for s in summaries if s.get("learning_curve")]
    kept = _common_tasks(summaries)
    found = {}
    for name in dict.fromkeys(s["variant"] for s in summaries):
        mine = [s for s in summaries if s["variant"] == name]
        runs = [s for s in mine if s["task"] in kept]
        if runs:
            found[name] = _mean_curve(runs, len(mine) - len(runs))
    return found


def iterations_to(curve: Sequence[Sequence[float]], level: float) -> tuple[float, float] | None:
    """Iterations and seconds at which a run first reaches ``level``; None if it never does.

    ``curve`` holds (iterations, seconds, value), one line for each round; both are linearly
    interpolated between rounds. A run that is above the level in its first round counts from there.
    """
    before: Sequence[float] = ()
    for point in curve:
        if point[2] >= level:
            part = (level - before[2]) / (point[2] - before[2]) if before else 1.0
            start = before or point
            steps, seconds = (start[i] + part * (point[i] - start[i]) for i in (0, 1))
            return float(steps), float(seconds)
        before = point
    return None


def _common_tasks(summaries: Summaries) -> set[str]:
    """Tasks that every variant ran with every seed; all tasks if there is none such."""
    pairs = {(s["variant"], s["seed"]) for s in summaries}
    tasks = {s["task"] for s in summaries}
    have = {(s["variant"], s["seed"], s["task"]) for s in summaries}
    return {t for t in tasks if all((v, seed, t) in have for v, seed in pairs)} or tasks


def _mean_curve(runs: Summaries, left_out: int) -> LearningCurve:
    """Mean over tasks, on the steps that lie within every run's curve."""
    lines = [np.asarray(s["learning_curve"], dtype=np.float64) for s in runs]
    first, last = max(c[0, 0] for c in lines), min(c[-1, 0] for c in lines)
    steps = np.unique(np.concatenate([c[:, 0] for c in lines]))
    steps = steps[(steps >= first) & (steps <= last)]
    if not len(steps):  # curves that do not overlap: only their ends can be compared
        steps = np.array([last])
    values, seconds = [], []
    for seed in sorted({s["seed"] for s in runs}):
        mine = [c for s, c in zip(runs, lines, strict=True) if s["seed"] == seed]
        values.append(np.mean([np.interp(steps, c[:, 0], c[:, 2]) for c in mine], axis=0))
        seconds.append(np.mean([np.interp(steps, c[:, 0], c[:, 1]) for c in mine], axis=0))
    return LearningCurve(steps, np.array(values), np.array(seconds), left_out)
