"""Training of a playground network, recorded frame by frame.

The loop is that of :mod:`clmle.training.trainer` without files: the method draws batches, computes
its loss, refreshes its clusters every round and predicts with its own classifier. All methods use
the same points, network, seed, number of steps and learning rate.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from clmle.classifiers._base import unit_rows
from clmle.classifiers.calibration import fit_calibration
from clmle.data.base import Task
from clmle.methods import Classifier, Method, Outputs, method_variant
from clmle.metrics.classification import mean_recall
from clmle.metrics.purity import neighbor_purity
from clmle.playground.classifiers import FeatureReader
from clmle.playground.methods import CLUSTERS, UNTRAINED, make_playground_method
from clmle.playground.network import LENGTH, PlaygroundNetwork
from clmle.playground.problem import MAJORITY, PlaygroundProblem, playground_task

STEPS = 200
EVERY = 5  # steps between frames
ROUNDS = 5  # clusters are refreshed at the start of each
BATCH = 64
LEARNING_RATE = 0.1
NEIGHBORS = 5
GRID = {2: 180, 3: 32}  # points around a circle; meridians and half as many circles of latitude


@dataclass(frozen=True)
class Frame:
    """One recorded moment of training, after ``step`` steps.

    Clusters and their unit centroids are None where the method has no clusters.
    """

    step: int
    features: np.ndarray  # (n, d) float32, unit features of the training points
    regions: np.ndarray  # (g,) int8, class predicted at each point of playground_grid
    confusion: np.ndarray  # (2, 2) int64, test points by true (rows) and predicted class
    mode_recall: np.ndarray  # (modes,) float64, test points of each mode of the minority
    purity: float  # neighbor_purity of the minority's test points in its modes, k = 5
    neighbors: np.ndarray  # (n, 5) int16, nearest training points, nearest first
    clusters: np.ndarray | None  # (n,) int16
    centroids: np.ndarray | None  # (K, d) float32

    @property
    def balanced_accuracy(self) -> float:
        """Mean recall of both classes on the test points."""
        return mean_recall(np.diag(self.confusion), self.confusion.sum(axis=1))


@dataclass(frozen=True)
class Trajectory:
    """All frames of one method on one problem."""

    problem: PlaygroundProblem
    method: str
    labels: np.ndarray  # (n,) int64, classes of the training points: 0 majority, 1 minority
    frames: Sequence[Frame]
    centroid_classes: np.ndarray | None = None  # (K,) int64, where the method has clusters
    between_margin: float | None = None  # a1 as a difference of cosines, where it has one

    @property
    def steps(self) -> np.ndarray:
        """Training steps done at every frame, (F,)."""
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
        return np.array([f.balanced_accuracy for f in self.frames])

    @property
    def worst_mode_recall(self) -> np.ndarray:
        """Recall of the minority's mode with the lowest, on the test points, (F,)."""
        return np.array([f.mode_recall.min() for f in self.frames])

    @property
    def purity(self) -> np.ndarray:
        """Mean fraction of the 5 nearest minority points that have a point's own mode, (F,).

        Measured on the test points of the minority.
        """
        return np.array([f.purity for f in self.frames])

    @property
    def impostors(self) -> np.ndarray:
        """Mean fraction of majority points among the 5 neighbors of a minority point, (F,).

        Footnote 2 of the paper calls a neighbor of another class an impostor.
        """
        minority = self.labels == 1
        return np.array([(self.labels[f.neighbors[minority]] != 1).mean() for f in self.frames])


def train_trajectory(
    problem: PlaygroundProblem,
    method: str,
    clusters: int = CLUSTERS,
    classifier: str = "own",
    every: int = EVERY,
) -> Trajectory:
    """Train ``method`` on ``problem`` and record its frames.

    The same arguments give the same trajectory.

    Parameters
    ----------
    problem : PlaygroundProblem
    method : str
        One of :func:`playground_method_names`.
    clusters : int
        Clusters of each class, from 1 to 12.
    classifier : {"own", "nearest-cluster", "nearest-class-mean", "linear"}
        What reads the features: each method's own classifier, or one that is the same for all.
    every : int
        Steps between two frames; the last of the 200 steps has a frame in any case.

    Returns
    -------
    Trajectory

    Raises
    ------
    InputError
        If the method or the classifier is unknown, or ``clusters`` out of range.

    Examples
    --------
    >>> train_trajectory(PlaygroundProblem(modes=1), "softmax", every=200).steps.tolist()
    [0, 200]
    """
    run = PlaygroundRun(problem, method, clusters, classifier)
    return run.trajectory(list(run.frames(every)))


class PlaygroundRun:
    """One training run of the playground, whose frames are available as they are reached."""

    def __init__(
        self,
        problem: PlaygroundProblem,
        method: str,
        clusters: int = CLUSTERS,
        classifier: str = "own",
    ) -> None:
        self.problem, self.name = problem, method
        self.calibration = method_variant(method).get("train", {}).get("calibration", "none")
        self.task: Task = playground_task(problem)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(problem.seed)
            self.network = PlaygroundNetwork(
                self.task.images.shape[1], problem.dim, self.task.n_classes
            )
            self.method: Method = make_playground_method(
                method, self.task, BATCH, problem, clusters
            )
        sizes = MAJORITY // int(clusters), int(clusters)
        labels = self.task.labels[self.task.train]
        self.reader = FeatureReader(classifier, labels, *sizes, problem.seed)
        trained = [*self.network.parameters(), *self.method.modules.parameters()]
        self.optimizer = torch.optim.SGD(trained, LEARNING_RATE, momentum=0.9)
        self.points = torch.from_numpy(self.task.images)
        self.grid = torch.from_numpy(LENGTH * playground_grid(problem.dim))

    def frames(self, every: int = EVERY) -> Iterator[Frame]:
        """Train; yield a frame before the first step, one after ``every`` steps, and the last."""
        per_round = STEPS // ROUNDS
        for step in range(STEPS):
            if step % per_round == 0:
                self.start_round(step // per_round)
            if step % every == 0:
                yield self.frame(step)
            if self.name != UNTRAINED:
                self.one_step(step)
        self.start_round(ROUNDS)
        yield self.frame(STEPS)

    def trajectory(self, frames: Sequence[Frame]) -> Trajectory:
        """The trajectory made of ``frames``."""
        index = getattr(self.method, "index", None)
        margin = None
        if hasattr(self.method, "margins"):
            margin = float(self.method.margins(self.problem.dim)[0])
        return Trajectory(
            self.problem, self.name, self.task.labels[self.task.train], frames,
            None if index is None else index.classes, margin,
        )  # fmt: skip

    def start_round(self, number: int) -> None:
        """Let the method cluster the current features."""
        self.method.start_round(number, self.outputs(self.task.train)[0])

    def one_step(self, step: int) -> None:
        """One step of stochastic gradient descent with a cosine schedule."""
        for group in self.optimizer.param_groups:
            group["lr"] = LEARNING_RATE * 0.5 * (1 + math.cos(math.pi * step / STEPS))
        batch = self.method.sample_batch(step)
        rows = self.task.train[batch.indices]
        features, logits = self.network(self.points[rows])
        labels = torch.from_numpy(self.task.labels[rows])
        loss = self.method.loss(Outputs(features, logits, labels, step / STEPS), batch)
        self.optimizer.zero_grad(set_to_none=True)
        loss.total.backward()
        loss.after_backward()
        self.optimizer.step()

    def frame(self, step: int) -> Frame:
        """Record the current state."""
        train, _ = self.outputs(self.task.train)
        classifier = self.classifier(train)
        test = self.task.test
        features, logits = self.outputs(test)
        predicted = classifier.scores(features, logits).argmax(axis=1)
        confusion = np.zeros((2, 2), dtype=np.int64)
        np.add.at(confusion, (self.task.labels[test], predicted), 1)
        assert self.task.subpopulations is not None
        minority = self.task.labels[test] == 1
        modes = self.task.subpopulations[0][test][minority] - self.problem.modes
        found = predicted[minority] == 1
        purity = neighbor_purity(unit_rows(features[minority]), modes * 0, modes, NEIGHBORS)
        assert purity is not None  # the minority has test points
        with torch.inference_mode():
            logits = self.network.head(self.grid).numpy()
        regions = classifier.scores(self.grid.numpy(), logits).argmax(axis=1)
        unit = unit_rows(train)
        index = getattr(self.method, "index", None)
        return Frame(
            step, unit, regions.astype(np.int8), confusion,
            np.bincount(modes, found) / np.bincount(modes), purity,
            nearest_points(unit).astype(np.int16),
            None if index is None else index.assignment.astype(np.int16),
            None if index is None else index.centroids.copy(),
        )  # fmt: skip

    def classifier(self, train: np.ndarray) -> Classifier:
        """The classifier, fitted to z (n, d) of the training points."""
        if self.reader.kind != "own":
            return self.reader.fitted(train)
        rows = self.task.validation
        validation = (*self.outputs(rows), self.task.labels[rows])
        fitted = self.method.fit_classifier(train, validation)
        return fit_calibration(fitted, validation, self.calibration)[0]

    def outputs(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return z (n, d) and logits (n, C) of the points in ``rows`` (n,)."""
        with torch.inference_mode():
            features, logits = self.network(self.points[rows])
        return features.numpy(), logits.numpy()


def nearest_points(features: np.ndarray, k: int = NEIGHBORS) -> np.ndarray:
    """The ``k`` nearest other rows of every unit row (n, d) by cosine, (n, k), nearest first."""
    unit = torch.from_numpy(features)
    similarity = (unit @ unit.T).fill_diagonal_(-torch.inf)
    return similarity.topk(k, dim=1).indices.numpy()


def playground_grid(dim: int) -> np.ndarray:
    """Unit points at which a frame records the predicted class."""
    n = GRID[dim]
    if dim == 2:
        angle = 2 * np.pi * np.arange(n) / n
        return np.column_stack([np.cos(angle), np.sin(angle)]).astype(np.float32)
    polar, turn = np.meshgrid(
        np.linspace(0, np.pi, n // 2 + 1), np.linspace(0, 2 * np.pi, n + 1), indexing="ij"
    )
    points = [np.sin(polar) * np.cos(turn), np.sin(polar) * np.sin(turn), np.cos(polar)]
    return np.stack(points, axis=-1).reshape(-1, 3).astype(np.float32)
