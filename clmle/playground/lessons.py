"""Three guided lessons on the live sphere, whose steps look at what the learner reached."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from clmle.playground.problem import PlaygroundProblem
from clmle.playground.trajectory import Course


@dataclass(frozen=True)
class Attempt:
    """What the learner has on the page: dials, and the courses trained to their end by name."""

    problem: PlaygroundProblem
    clusters: int
    courses: Mapping[str, Course]

    def balanced(self, method: str) -> float | None:
        """Balanced accuracy of a method on the test points; None where it is not trained."""
        course = self.courses.get(method)
        return None if course is None else float(course.balanced_accuracy[-1])

    def found(self, method: str) -> float | None:
        """Share of the minority that a method finds; None where it is not trained."""
        course = self.courses.get(method)
        return None if course is None else float(course.recall[-1, 1])

    def gain(self, method: str, over: str = "softmax") -> float | None:
        """Balanced accuracy beyond that of another method on the same dials."""
        mine, other = self.balanced(method), self.balanced(over)
        return None if mine is None or other is None else mine - other

    def plain(self, method: str) -> float | None:
        """Accuracy where points come as rarely as in training, which hides the minority."""
        course = self.courses.get(method)
        if course is None:
            return None
        ratio = self.problem.ratio
        return float((ratio * course.recall[-1, 0] + course.recall[-1, 1]) / (ratio + 1))


@dataclass(frozen=True)
class Step:
    """``task`` for the learner, ``reached`` of an attempt, and what it teaches (``learned``)."""

    task: str
    reached: Callable[[Attempt], bool]
    learned: str


@dataclass(frozen=True)
class Lesson:
    """Steps to be taken in order; ``dials`` and ``methods`` to begin with."""

    name: str
    title: str
    controls: PlaygroundProblem
    clusters: int
    methods: tuple[str, ...]
    steps: Sequence[Step]


def above(value: float | None, level: float) -> bool:
    """Whether a figure is there and at least ``level``."""
    return value is not None and value >= level


def below(value: float | None, level: float) -> bool:
    """Whether a figure is there and under ``level``."""
    return value is not None and value < level


LESSONS: tuple[Lesson, ...] = (
    Lesson(
        "break-softmax",
        "1. Break softmax",
        PlaygroundProblem(ratio=1, modes=1, noise=0.3),
        12,
        ("softmax",),
        (
            Step(
                "Train softmax on as many points of both classes. "
                "It finds at least 70 % of the minority.",
                lambda a: a.problem.ratio == 1 and above(a.found("softmax"), 0.7),
                "On even data softmax treats both classes alike.",
            ),
            Step(
                "Turn the ratio up until softmax finds less than half of the minority.",
                lambda a: a.problem.ratio > 1 and below(a.found("softmax"), 0.5),
                "The points of a class have hardly changed, only their number has: the border "
                "moved, because mistakes on the majority cost more in sum.",
            ),
            Step(
                "Go on until plain accuracy, on points as imbalanced as in training, is over 90 % "
                "although softmax finds less than 10 % of the minority.",
                lambda a: above(a.plain("softmax"), 0.9) and below(a.found("softmax"), 0.1),
                "Plain accuracy praises a network that gave the minority up. Balanced accuracy, "
                "the mean of both classes' shares, says 50 %: a coin.",
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
                "Train softmax on these dials. Its balanced accuracy is below 65 %.",
                lambda a: below(a.balanced("softmax"), 0.65),
                "This is the patient.",
            ),
            Step(
                "Add a method, with softmax still there, and gain at least 10 points of balanced "
                "accuracy over it.",
                lambda a: any(above(a.gain(m), 0.1) for m in a.courses),
                "With one group a class drawing the classes evenly is remedy enough; clusters do "
                "no better there.",
            ),
            Step(
                "Show softmax beside oversampling, and raise the modes until oversampling gains "
                "less than 10 points.",
                lambda a: a.problem.modes > 1 and below(a.gain("oversampling"), 0.1),
                "Even batches repair the counts, not the shape: the network now has to fold many "
                "groups of a class into one, and does not manage.",
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
                "Train CLMLE with a single cluster a class. Its balanced accuracy is below 70 %.",
                lambda a: (
                    a.clusters == 1 and a.problem.modes > 1 and below(a.balanced("clmle"), 0.7)
                ),
                "One centroid stands for four groups and lies among none of them.",
            ),
            Step(
                "Leave the modes, and raise the clusters until CLMLE reaches 80 %.",
                lambda a: (
                    a.clusters > 1 and a.problem.modes > 1 and above(a.balanced("clmle"), 0.8)
                ),
                "Groups may stay where they are: margins are kept between neighboring clusters "
                "only.",
            ),
            Step(
                "Compare A-Softmax, which has one center a class: it is at least 10 points below "
                "CLMLE on the same dials.",
                lambda a: above(a.gain("clmle", "sphereface"), 0.1),
                "A margin at the level of classes demands that all groups of a class collapse.",
            ),
            Step(
                "Now raise the noise until CLMLE, with clusters, falls below 75 %.",
                lambda a: a.clusters >= 8 and below(a.balanced("clmle"), 0.75),
                "Where the classes themselves overlap no margin helps: not every mistake is the "
                "imbalance's.",
            ),
        ),
    ),
)


def steps_done(lesson: Lesson, attempt: Attempt, done: int = 0) -> int:
    """How many steps of ``lesson`` are done, in order, ``done`` of them before this attempt."""
    while done < len(lesson.steps) and lesson.steps[done].reached(attempt):
        done += 1
    return done
