"""The data of the playground: a majority and a minority class, each of several modes."""

from dataclasses import dataclass

import numpy as np

from clmle.config import option
from clmle.data.base import Task
from clmle.errors import InputError

CLASS_NAMES = ("majority", "minority")
MAJORITY = 480  # training points of the majority class
HELD_OUT = 240  # points of each class in validation and in test, spread evenly over its modes
MODES = 12


@dataclass(frozen=True)
class PlaygroundProblem:
    """A two-class problem on the unit circle or sphere.

    ``ratio`` is from 1 to 240, ``modes`` from 1 to 12 and ``noise``, a standard deviation, above 0
    and at most 1; an InputError names a value that is not.

    >>> PlaygroundProblem(ratio=20).minority
    24
    """

    ratio: float = option(20.0, "training points of the majority for each one of the minority")
    modes: int = option(4, "modes of each class; the classes alternate around the circle")
    noise: float = option(0.15, "spread of a mode, as a fraction of the angle to the next mode")
    dim: int = option(2, "2: a circle; 3: a sphere", (2, 3))
    seed: int = option(0, "seed of the points, of the network and of every batch")

    def __post_init__(self) -> None:
        if not 1 <= self.ratio <= MAJORITY / 2:
            raise InputError(
                f"ratio is {self.ratio}, but must be from 1 to {MAJORITY // 2}, "
                "so that the minority has two points or more."
            )
        if self.modes != int(self.modes) or not 1 <= self.modes <= MODES:
            raise InputError(
                f"modes is {self.modes}, but must be a whole number from 1 to {MODES}."
            )
        if not 0 < self.noise <= 1:
            raise InputError(f"noise is {self.noise}, but must be above 0 and at most 1.")
        if self.dim not in (2, 3):
            raise InputError(f"dim is {self.dim}; choose 2 (a circle) or 3 (a sphere).")
        if self.seed < 0:
            raise InputError(f"seed is {self.seed}, but must be 0 or more.")

    @property
    def minority(self) -> int:
        """Number of training points of the minority class."""
        return max(2, round(MAJORITY / self.ratio))


def mode_centers(problem: PlaygroundProblem) -> np.ndarray:
    """Unit centers of the modes, (2, modes, dim): the majority's, then the minority's.

    The centers of the two classes alternate: around a circle, or along a Fibonacci lattice of
    2 x modes points on a sphere.
    """
    n = 2 * problem.modes
    i = np.arange(n)
    if problem.dim == 2:
        angle = np.pi / 2 + 2 * np.pi * i / n
        centers = np.column_stack([np.cos(angle), np.sin(angle)])
    else:
        height = 1 - (2 * i + 1) / n
        turn = np.pi * (1 + 5**0.5) * i
        radius = np.sqrt(1 - height**2)
        centers = np.column_stack([radius * np.cos(turn), radius * np.sin(turn), height])
    return np.stack([centers[0::2], centers[1::2]])


def mode_spread(problem: PlaygroundProblem) -> float:
    """Standard deviation of a mode in radians: ``noise`` of the angle between nearest modes."""
    centers = mode_centers(problem).reshape(-1, problem.dim)
    cosine = centers @ centers.T
    np.fill_diagonal(cosine, -1)
    nearest = np.arccos(np.clip(cosine.max(), -1, 1))
    return float(problem.noise * nearest)


def playground_task(problem: PlaygroundProblem) -> Task:
    """Draw the points of ``problem``.

    Every mode is a von Mises-Fisher distribution. A higher ratio keeps a subset of the
    minority's training points; validation and test sets are balanced.
    """
    from scipy.stats import vonmises_fisher

    centers = mode_centers(problem)
    kappa = 1 / mode_spread(problem) ** 2
    points, labels, split = [], [], []
    sizes = ((MAJORITY, problem.minority), (HELD_OUT, HELD_OUT), (HELD_OUT, HELD_OUT))
    for part, counts in enumerate(sizes):
        for c, count in enumerate(counts):
            # All points are drawn whatever the ratio, alternating over the modes, so that fewer
            # points are a subset of more.
            whole = MAJORITY if part == 0 else HELD_OUT
            rows = np.empty((whole, problem.dim))
            for k, center in enumerate(centers[c]):
                here = np.arange(whole) % problem.modes == k
                generator = np.random.default_rng([problem.seed, part, c, k])
                rows[here] = vonmises_fisher(center, kappa).rvs(
                    int(here.sum()), random_state=generator
                )
            points.append(rows[:count])
            labels.append(np.full(count, c))
            split.append(np.full(count, part))
    where = np.concatenate(split)
    return Task(
        "playground",
        np.concatenate(points).astype(np.float32),
        np.concatenate(labels).astype(np.int64),
        CLASS_NAMES,
        *(np.flatnonzero(where == part) for part in range(3)),
    ).checked()
