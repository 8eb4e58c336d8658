"""The live sphere: how methods learn a scarce minority among a majority of many modes."""

from clmle.sphere.course import Course, Frame, SphereRun, sphere_grid, train_course
from clmle.sphere.lessons import LESSONS, Attempt, Lesson, Step, steps_done
from clmle.sphere.methods import CLUSTERS, FAMOUS_FIVE, sphere_method_names
from clmle.sphere.problem import SphereProblem, sphere_task

__all__ = [
    "CLUSTERS",
    "FAMOUS_FIVE",
    "LESSONS",
    "Attempt",
    "Course",
    "Frame",
    "Lesson",
    "SphereProblem",
    "SphereRun",
    "Step",
    "sphere_grid",
    "sphere_method_names",
    "sphere_task",
    "steps_done",
    "train_course",
]
