"""The data of the playground: a majority and a minority class, each of several modes.

The modes lie on a circle or sphere. A network does not see it: nuisance dimensions are added and a
random rotation mixes all dimensions, so that the modes have to be learned.
"""

from dataclasses import dataclass

import numpy as np

from clmle.config import option
from clmle.data.base import Task
from clmle.errors import InputError

CLASS_NAMES = ("majority", "minority")
MAJORITY = 480  # training points of the majority class
HELD_OUT = 240  # points of each class in validation and in test, spread evenly over its modes
MODES = 12
NUISANCE = 64


@dataclass(frozen=True)
class PlaygroundProblem:
    """A two-class problem on the unit circle or sphere, hidden among nuisance dimensions.

    ``ratio`` is from 1 to 240, ``modes`` from 1 to 12, ``noise``, a standard deviation, above 0
    and at most 1, ``nuisance`` from 0 to 64 and ``nuisance_std`` from 0 to 1; an InputError names
    a value that is not.

    >>> PlaygroundProblem(ratio=20).minority
    24
    """

    ratio: float = option(20.0, "training points of the majority for each one of the minority")
    modes: int = option(4, "modes of each class; the classes alternate around the circle")
    noise: float = option(0.15, "spread of a mode, as a fraction of the angle to the next mode")
    dim: int = option(2, "2: a circle; 3: a sphere", (2, 3))
    seed: int = option(0, "seed of the points, of the network and of every batch")
    nuisance: int = option(6, "further dimensions, the same noise in both classes")
    nuisance_std: float = option(0.2, "standard deviation of each nuisance dimension")

    def __post_init__(self) -> None:
        ranges = {  # of ratio: so that the minority has two points or more
            "ratio": (1, MAJORITY // 2), "modes": (1, MODES), "nuisance": (0, NUISANCE),
            "nuisance_std": (0, 1),
        }  # fmt: skip
        for name, (low, high) in ranges.items():
            value, whole = getattr(self, name), name in ("modes", "nuisance")
            if not low <= value <= high or (whole and value != int(value)):
                kind = "a whole number " if whole else ""
                raise InputError(f"{name} is {value}, but must be {kind}from {low} to {high}.")
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
    """Unit centers, (2, modes, dim): classes alternate on the circle or on a Fibonacci lattice."""
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
    """Draw the points of ``problem``: rows of ``dim + nuisance`` values, rotated.

    A higher ratio keeps a subset of the minority's training points; validation and test sets are
    balanced. The subpopulations of the task are the modes.
    """
    points, labels, split, modes = _draw(problem)
    size = problem.dim + problem.nuisance
    rotation, _ = np.linalg.qr(np.random.default_rng([problem.seed, 3]).normal(size=(size, size)))
    names = tuple(f"{name}, mode {k + 1}" for name in CLASS_NAMES for k in range(problem.modes))
    return Task(
        "playground", (points @ rotation).astype(np.float32), labels, CLASS_NAMES,
        *(np.flatnonzero(split == part) for part in range(3)), subpopulations=(modes, names),
    ).checked()  # fmt: skip


def training_positions(problem: PlaygroundProblem) -> tuple[np.ndarray, np.ndarray]:
    """Unit positions (n, dim) of the training points, which no network sees, and classes (n,)."""
    points, labels, split, _ = _draw(problem)
    return points[split == 0, : problem.dim].astype(np.float32), labels[split == 0]


def _draw(problem: PlaygroundProblem) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Points of von Mises-Fisher modes before the rotation; class, part and mode of each."""
    from scipy.stats import vonmises_fisher

    centers = mode_centers(problem)
    kappa = 1 / mode_spread(problem) ** 2
    points, labels, split, modes = [], [], [], []
    sizes = ((MAJORITY, problem.minority), (HELD_OUT, HELD_OUT), (HELD_OUT, HELD_OUT))
    for part, counts in enumerate(sizes):
        for c, count in enumerate(counts):
            # All points are drawn whatever the ratio, alternating over the modes, so that fewer
            # points are a subset of more.
            whole = MAJORITY if part == 0 else HELD_OUT
            own = np.arange(whole) % problem.modes
            generator = np.random.default_rng([problem.seed, part, c, MODES])
            nuisance = generator.normal(0, problem.nuisance_std, (whole, problem.nuisance))
            rows = np.empty((whole, problem.dim))
            for k, center in enumerate(centers[c]):
                generator = np.random.default_rng([problem.seed, part, c, k])
                rows[own == k] = vonmises_fisher(center, kappa).rvs(
                    int((own == k).sum()), random_state=generator
                )
            points.append(np.column_stack([rows, nuisance])[:count])
            modes.append(c * problem.modes + own[:count])
            labels.append(np.full(count, c))
            split.append(np.full(count, part))
    return (
        np.concatenate(points),
        np.concatenate(labels).astype(np.int64),
        np.concatenate(split),
        np.concatenate(modes).astype(np.int64),
    )
