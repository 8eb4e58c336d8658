"""The live sphere: how methods learn a scarce minority among a majority of many modes."""

from clmle.playground.lessons import LESSONS, Attempt, Lesson, Step, steps_done
from clmle.playground.methods import CLUSTERS, FAMOUS_FIVE, playground_method_names
from clmle.playground.problem import PlaygroundProblem, playground_task
from clmle.playground.trajectory import Course, Frame, PlaygroundRun, sphere_grid, train_trajectory

__all__ = [
    "CLUSTERS",
    "FAMOUS_FIVE",
    "LESSONS",
    "Attempt",
    "Course",
    "Frame",
    "Lesson",
    "PlaygroundProblem",
    "PlaygroundRun",
    "Step",
    "playground_method_names",
    "playground_task",
    "sphere_grid",
    "steps_done",
    "train_trajectory",
]
