"""Three guided lessons; each step checks what the learner has trained on the page."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

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


LESSONS: tuple[Lesson, ...] = (
    Lesson(
        "break-softmax",
        "1. Break softmax",
        PlaygroundProblem(ratio=1, modes=1, noise=0.3),
        12,
        ("softmax",),
        (
            Step(
                "Train softmax on equally many points of both classes. Its recall of the minority "
                "class is at least 70 %.",
                lambda a: a.problem.ratio == 1 and a.minority_recall("softmax") >= 0.7,
                "On balanced data softmax treats both classes alike.",
            ),
            Step(
                "Raise the ratio until the minority recall of softmax falls below 50 %.",
                lambda a: a.problem.ratio > 1 and a.minority_recall("softmax") < 0.5,
                "The minority points come from the same distribution as before; there are only "
                "fewer of them. The decision boundary moved because errors on the majority "
                "dominate the summed loss.",
            ),
            Step(
                "Raise the ratio further until plain accuracy, on points as imbalanced as the "
                "training points, exceeds 90 % although minority recall is below 10 %.",
                lambda a: a.accuracy("softmax") >= 0.9 and a.minority_recall("softmax") < 0.1,
                "Plain accuracy is high for a network that ignores the minority class. Balanced "
                "accuracy, the mean recall of the classes, is about 50 %: chance level.",
            ),
        ),
    ),
    Lesson(
        "repair-it",
        "2. Repair it",
        PlaygroundProblem(ratio=20, modes=1, noise=0.3),
        12,
        ("softmax",),
        (
            Step(
                "Train softmax with these settings. Its balanced accuracy is below 65 %.",
                lambda a: a.balanced_accuracy("softmax") < 0.65,
                "This is the baseline to improve.",
            ),
            Step(
                "Keep softmax and add a method that gains at least 10 percentage points of "
                "balanced accuracy over it.",
                lambda a: any(a.gain(m) >= 0.1 for m in a.trajectories),
                "With one mode per class, class-balanced sampling is sufficient; clusters are no "
                "better here.",
            ),
            Step(
                "Show softmax and oversampling together, and raise the number of modes until "
                "oversampling gains less than 10 percentage points.",
                lambda a: a.problem.modes > 1 and a.gain("oversampling") < 0.1,
                "Class-balanced batches correct the class counts, not the shape of the classes: "
                "the network would have to map many modes of a class to one region, and fails.",
            ),
        ),
    ),
    Lesson(
        "why-clusters",
        "3. Why clusters",
        PlaygroundProblem(ratio=20, modes=4, noise=0.3),
        1,
        ("sphereface", "clmle"),
        (
            Step(
                "Train CLMLE with a single cluster per class. Its balanced accuracy is below 70 %.",
                lambda a: (
                    a.clusters == 1 and a.problem.modes > 1 and a.balanced_accuracy("clmle") < 0.7
                ),
                "One centroid represents four modes and is close to none of them.",
            ),
            Step(
                "Keep the modes and raise the number of clusters until CLMLE reaches 80 %.",
                lambda a: (
                    a.clusters > 1 and a.problem.modes > 1 and a.balanced_accuracy("clmle") >= 0.8
                ),
                "The classifier looks for the nearest cluster, so the modes of a class may stay "
                "apart. Move the frame slider to step 0: this network starts as the identity, and "
                "the same classifier is about as accurate before training. Training with margins "
                "between clusters keeps that; it does not add to it here.",
            ),
            Step(
                "Compare with A-Softmax, which has one center per class. It is at least 10 "
                "percentage points below CLMLE with the same settings.",
                lambda a: a.gain("clmle", "sphereface") >= 0.1,
                "A margin between whole classes requires all modes of a class to collapse into "
                "one region, and the network does not manage that in 200 steps.",
            ),
            Step(
                "Raise the noise until CLMLE, with at least 8 clusters, falls below 75 %.",
                lambda a: a.clusters >= 8 and a.balanced_accuracy("clmle") < 0.75,
                "Where the classes overlap no margin helps: imbalance does not cause every error.",
            ),
        ),
    ),
)


def steps_done(lesson: Lesson, attempt: Attempt, done: int = 0) -> int:
    """Number of steps of ``lesson`` that are done."""
    while done < len(lesson.steps) and lesson.steps[done].reached(attempt):
        done += 1
    return done
