"""Three guided lessons (lessons.toml); each step checks what was trained on the page."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clmle.playground.problem import PlaygroundProblem
from clmle.playground.static_page import lesson_texts
from clmle.playground.trajectory import Trajectory

Condition = Mapping[str, Any]


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
    """One step of a lesson: what to do, what an attempt must have, and what it shows."""

    task: str
    explanation: str  # shown when the step is done
    conditions: Sequence[Sequence[Condition]]  # "reached" of lessons.toml

    def reached(self, attempt: Attempt) -> bool:
        """Whether ``attempt`` has what the step asks for."""
        return any(all(_holds(one, attempt) for one in together) for together in self.conditions)


@dataclass(frozen=True)
class Question:
    """A question with one correct answer."""

    text: str
    choices: Sequence[str]
    answer: int  # index of the correct choice
    explanation: str  # shown after the correct choice
    hint: str  # shown after another one


@dataclass(frozen=True)
class Lesson:
    """A lesson of the playground: steps in order, and problem, clusters and methods at first."""

    name: str
    title: str
    problem: PlaygroundProblem
    clusters: int
    methods: tuple[str, ...]
    steps: Sequence[Step]
    questions: Sequence[Question]


def _holds(condition: Condition, attempt: Attempt) -> bool:
    """Whether a condition of lessons.toml holds; "any" is one of the trained methods."""
    if condition.get("method") == "any":
        return any(_holds({**condition, "method": m}, attempt) for m in attempt.trajectories)
    name = condition["metric"]
    if hasattr(attempt.problem, name):
        value = getattr(attempt.problem, name)
    else:
        metric = getattr(attempt, name.replace(" ", "_"))
        baseline = [condition["baseline"]] if "baseline" in condition else []
        value = metric(condition["method"], *baseline)
    return bool(
        condition.get("at_least", -math.inf) <= value <= condition.get("at_most", math.inf)
        and condition.get("above", -math.inf) < value < condition.get("below", math.inf)
    )


def _lesson(entry: Mapping[str, Any]) -> Lesson:
    return Lesson(
        entry["name"],
        entry["title"],
        PlaygroundProblem(**entry["problem"]),
        entry["clusters"],
        tuple(entry["methods"]),
        [Step(s["task"], s["explanation"], s["reached"]) for s in entry["step"]],
        [Question(**question) for question in entry["question"]],
    )


LESSONS = tuple(map(_lesson, lesson_texts()))


def steps_done(lesson: Lesson, attempt: Attempt, done: int = 0) -> int:
    """Number of steps of ``lesson`` that are done."""
    while done < len(lesson.steps) and lesson.steps[done].reached(attempt):
        done += 1
    return done
