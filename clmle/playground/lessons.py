"""Three guided lessons (lessons.toml); each step checks what was trained on the page."""

import math
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from clmle.playground.methods import ONE_CLUSTER, UNTRAINED, WITHOUT_EQ_9
from clmle.playground.problem import PlaygroundProblem
from clmle.playground.trajectory import Trajectory


@dataclass(frozen=True)
class Attempt:
    """The sliders' values and the trajectories trained with them.

    Metrics of a method that is not trained are NaN, so that no condition on them holds.

    >>> Attempt(PlaygroundProblem(), 12, {}).balanced_accuracy("softmax")
    nan
    """

    problem: PlaygroundProblem
    clusters: int  # of each class
    trajectories: Mapping[str, Trajectory]  # finished ones, by method

    def balanced_accuracy(self, method: str) -> float:
        """Balanced accuracy on the test points."""
        return sum(self._recall(method)) / 2

    def minority_recall(self, method: str) -> float:
        """Recall of the minority class on the test points."""
        return self._recall(method)[1]

    def accuracy(self, method: str) -> float:
        """Plain accuracy where test points are as imbalanced as training points."""
        majority, minority = self._recall(method)
        return (self.problem.ratio * majority + minority) / (self.problem.ratio + 1)

    def gain(self, method: str, baseline: str = "softmax") -> float:
        """Difference in balanced accuracy between a method and a baseline."""
        return self.balanced_accuracy(method) - self.balanced_accuracy(baseline)

    def _recall(self, method: str) -> tuple[float, float]:
        if method not in self.trajectories:
            return math.nan, math.nan
        majority, minority = self.trajectories[method].recall[-1]
        return float(majority), float(minority)


@dataclass(frozen=True)
class Step:
    """One step of a lesson: what to do, whether an attempt fulfils it, and what it shows."""

    task: str
    reached: Callable[[Attempt], bool]
    explanation: str  # shown when the step is done


@dataclass(frozen=True)
class Lesson:
    """A lesson of the playground: steps in order, and problem, clusters and methods at first."""

    name: str
    title: str
    problem: PlaygroundProblem
    clusters: int
    methods: tuple[str, ...]
    steps: Sequence[Step]


# What an attempt must have for each step of a lesson.
_REACHED: dict[str, tuple[Callable[[Attempt], bool], ...]] = {
    "break-softmax": (
        lambda a: a.problem.ratio == 1 and a.minority_recall("softmax") >= 0.7,
        lambda a: a.problem.ratio > 1 and a.minority_recall("softmax") < 0.5,
        lambda a: a.accuracy("softmax") >= 0.9 and a.minority_recall("softmax") < 0.1,
    ),
    "repair-it": (
        lambda a: a.balanced_accuracy("softmax") < 0.65,
        lambda a: any(a.gain(m) >= 0.1 for m in a.trajectories),
        lambda a: a.problem.modes > 1 and a.gain("oversampling") < 0.1,
    ),
    "controls": (
        lambda a: a.problem.modes > 1 and a.gain("clmle", UNTRAINED) >= 0.05,
        lambda a: a.gain("clmle", WITHOUT_EQ_9) > 0 and a.gain("clmle", ONE_CLUSTER) > 0,
        lambda a: a.gain("clmle", WITHOUT_EQ_9) <= 0 or a.gain("clmle", ONE_CLUSTER) <= 0,
        lambda a: a.problem.noise > 0.3 and a.balanced_accuracy("clmle") < 0.6,
    ),
}


def _lesson(entry: dict[str, Any]) -> Lesson:
    texts = zip(entry["step"], _REACHED[entry["name"]], strict=True)
    steps = [Step(text["task"], reached, text["explanation"]) for text, reached in texts]
    problem, methods = PlaygroundProblem(**entry["problem"]), tuple(entry["methods"])
    return Lesson(entry["name"], entry["title"], problem, entry["clusters"], methods, steps)


_TEXT = (files("clmle.playground") / "lessons.toml").read_text(encoding="utf-8")
LESSONS = tuple(map(_lesson, tomllib.loads(_TEXT)["lesson"]))


def steps_done(lesson: Lesson, attempt: Attempt, done: int = 0) -> int:
    """Number of steps of ``lesson`` that are done."""
    while done < len(lesson.steps) and lesson.steps[done].reached(attempt):
        done += 1
    return done
