"""Three guided lessons; each step checks what the learner has trained on the page."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

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
        "controls",
        "3. What each part does",
        PlaygroundProblem(ratio=5, modes=3, noise=0.3),
        12,
        ("clmle", UNTRAINED),
        (
            Step(
                "Train CLMLE and its control without training. CLMLE gains at least 5 percentage "
                "points of balanced accuracy.",
                lambda a: a.problem.modes > 1 and a.gain("clmle", UNTRAINED) >= 0.05,
                "The network sees the circle in more dimensions, rotated and with noise. Before "
                "training no centroid is close to the points of its own mode only.",
            ),
            Step(
                "Add the controls without Eq. 9 and with one cluster per class. Choose seeds until "
                "CLMLE has a higher balanced accuracy than both.",
                lambda a: a.gain("clmle", WITHOUT_EQ_9) > 0 and a.gain("clmle", ONE_CLUSTER) > 0,
                "On this draw CLMLE is ahead of both. Sampler, network, classifier and "
                "number of steps are those of the controls.",
            ),
            Step(
                "Choose seeds until CLMLE is not better than one of these two controls.",
                lambda a: a.gain("clmle", WITHOUT_EQ_9) <= 0 or a.gain("clmle", ONE_CLUSTER) <= 0,
                "Which is ahead depends on the draw. One seed is an example; *What is shown and "
                "compared*, at the end of this page, counts the draws.",
            ),
            Step(
                "Raise the noise until the balanced accuracy of CLMLE falls below 60 %.",
                lambda a: a.problem.noise > 0.3 and a.balanced_accuracy("clmle") < 0.6,
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
