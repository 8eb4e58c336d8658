"""How one method learns the live sphere, frame by frame: the registry's method, a tiny network.

The loop is that of :mod:`clmle.training.trainer` without its files: the method draws batches,
loses, refreshes its clusters every round and judges by its own rule. All methods share points,
network, seed, steps and learning rate.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from clmle.classifiers.base import unit_rows
from clmle.data.base import Task
from clmle.methods import Classifier, Method, Outputs
from clmle.metrics.classification import balanced_accuracy
from clmle.playground.methods import CLUSTERS, make_playground_method
from clmle.playground.neighbors import impostor_share, nearest_points
from clmle.playground.network import LENGTH, PlaygroundNetwork
from clmle.playground.problem import PlaygroundProblem, playground_task

STEPS = 200
EVERY = 5  # steps between frames
ROUNDS = 5  # clusters are refreshed at the start of each
BATCH = 64
LEARNING_RATE = 0.02
GRID = {2: 180, 3: 32}  # points around a circle; meridians and half as many circles of latitude


@dataclass(frozen=True)
class Frame:
    """One moment of training.

    ``step``; unit ``features`` (n, d) float32 of the training points; ``regions`` (g,) int8, the
    class that the method's rule gives to each place of :func:`sphere_grid`; ``confusion`` (2, 2)
    of the test points, true by judged; ``neighbors`` (n, 5) int16, the nearest training points;
    ``clusters`` (n,) int16 and unit ``centroids`` (K, d), None where the method has none.
    """

    step: int
    features: np.ndarray
    regions: np.ndarray
    confusion: np.ndarray
    neighbors: np.ndarray
    clusters: np.ndarray | None
    centroids: np.ndarray | None


@dataclass(frozen=True)
class Course:
    """All frames of a method on a problem, with what does not change between them.

    ``labels`` (n,) of the training points; ``centroid_classes`` (K,) or None; ``between_margin``
    a1 where the method has one.
    """

    problem: PlaygroundProblem
    method: str
    labels: np.ndarray
    frames: Sequence[Frame]
    centroid_classes: np.ndarray | None = None
    between_margin: float | None = None

    @property
    def steps(self) -> np.ndarray:
        """Steps done at every frame, (F,)."""
        return np.array([f.step for f in self.frames])

    @property
    def recall(self) -> np.ndarray:
        """Recall of both classes on the test points at every frame, (F, 2)."""
        confusion = np.array([f.confusion for f in self.frames])
        recall: np.ndarray = np.diagonal(confusion, axis1=1, axis2=2) / confusion.sum(axis=2)
        return recall

    @property
    def balanced_accuracy(self) -> np.ndarray:
        """Mean recall of the classes at every frame, (F,)."""
        return np.array([balanced_accuracy(f.confusion) for f in self.frames])

    @property
    def impostors(self) -> np.ndarray:
        """Share of majority points among the 5 nearest of a minority point, mean, (F,)."""
        return np.array([impostor_share(f.neighbors, self.labels) for f in self.frames])


def train_trajectory(problem: PlaygroundProblem, method: str, clusters: int = CLUSTERS) -> Course:
    """Train ``method`` on ``problem`` from first to last frame.

    The same arguments give the same course. ``clusters`` of each class are for methods that
    have clusters.

    Raises
    ------
    InputError
        The sphere does not show that method, or ``clusters`` is not from 1 to 12.

    Examples
    --------
    >>> course = train_trajectory(PlaygroundProblem(ratio=20, modes=2), "softmax")
    >>> len(course.frames), course.frames[0].features.shape
    (41, (504, 2))
    """
    run = PlaygroundRun(problem, method, clusters)
    return run.course(list(run.frames()))


class PlaygroundRun:
    """The training of one course; :meth:`frames` yields its frames as they are reached."""

    def __init__(self, problem: PlaygroundProblem, method: str, clusters: int = CLUSTERS) -> None:
        self.problem, self.name = problem, method
        self.task: Task = playground_task(problem)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(problem.seed)
            self.network = PlaygroundNetwork(problem.dim, self.task.n_classes)
            self.method: Method = make_playground_method(
                method, self.task, BATCH, problem, clusters
            )
        trained = [*self.network.parameters(), *self.method.modules.parameters()]
        self.optimizer = torch.optim.SGD(trained, LEARNING_RATE, momentum=0.9)
        self.points = torch.from_numpy(self.task.images)
        self.grid = torch.from_numpy(LENGTH * sphere_grid(problem.dim))

    def frames(self) -> Iterator[Frame]:
        """Frame 0 before the first step, then one every ``EVERY`` steps."""
        per_round = STEPS // ROUNDS
        for step in range(STEPS):
            if step % per_round == 0:
                self.start_round(step // per_round)
            if step % EVERY == 0:
                yield self.frame(step)
            self.one_step(step)
        self.start_round(ROUNDS)
        yield self.frame(STEPS)

    def course(self, frames: Sequence[Frame]) -> Course:
        """The course of the frames so far."""
        index = getattr(self.method, "index", None)
        margin = None
        if hasattr(self.method, "margins"):
            margin = float(self.method.margins(self.problem.dim)[0])
        return Course(
            self.problem,
            self.name,
            self.task.labels[self.task.train],
            frames,
            None if index is None else index.classes,
            margin,
        )

    def start_round(self, number: int) -> None:
        self.method.start_round(number, self.outputs(self.task.train)[0])

    def one_step(self, step: int) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = LEARNING_RATE * 0.5 * (1 + math.cos(math.pi * step / STEPS))
        batch = self.method.sample_batch(step)
        rows = self.task.train[batch.indices]
        features, logits = self.network(self.points[rows])
        labels = torch.from_numpy(self.task.labels[rows])
        loss = self.method.loss(Outputs(features, logits, labels, step / STEPS), batch)
        self.optimizer.zero_grad(set_to_none=True)
        loss.total.backward()
        self.optimizer.step()

    def frame(self, step: int) -> Frame:
        train, _ = self.outputs(self.task.train)
        rule = self.rule(train)
        test = self.task.test
        judged = rule.scores(*self.outputs(test)).argmax(axis=1)
        confusion = np.zeros((2, 2), dtype=np.int64)
        np.add.at(confusion, (self.task.labels[test], judged), 1)
        unit = unit_rows(train)
        index = getattr(self.method, "index", None)
        return Frame(
            step,
            unit,
            self.judge_places(rule),
            confusion,
            nearest_points(unit).astype(np.int16),
            None if index is None else index.assignment.astype(np.int16),
            None if index is None else index.centroids.copy(),
        )

    def rule(self, train: np.ndarray) -> Classifier:
        """The method's own rule, from z of the training points."""
        rows = self.task.validation
        return self.method.fit_classifier(train, (*self.outputs(rows), self.task.labels[rows]))

    def judge_places(self, rule: Classifier) -> np.ndarray:
        """Class of every place of the grid, (g,) int8."""
        with torch.inference_mode():
            logits = self.network.head(self.grid).numpy()
        judged: np.ndarray = rule.scores(self.grid.numpy(), logits).argmax(axis=1)
        return judged.astype(np.int8)

    def outputs(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """z (n, d) and logits (n, C) of points."""
        with torch.inference_mode():
            features, logits = self.network(self.points[rows])
        return features.numpy(), logits.numpy()


def sphere_grid(dim: int) -> np.ndarray:
    """Unit places (g, dim) float32 whose class is recorded: around the circle, over the sphere.

    On a sphere rows of latitude from pole to pole, each once around and closed.
    """
    n = GRID[dim]
    if dim == 2:
        angle = 2 * np.pi * np.arange(n) / n
        return np.column_stack([np.cos(angle), np.sin(angle)]).astype(np.float32)
    polar, turn = np.meshgrid(
        np.linspace(0, np.pi, n // 2 + 1), np.linspace(0, 2 * np.pi, n + 1), indexing="ij"
    )
    places = [np.sin(polar) * np.cos(turn), np.sin(polar) * np.sin(turn), np.cos(polar)]
    return np.stack(places, axis=-1).reshape(-1, 3).astype(np.float32)
