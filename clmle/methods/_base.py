"""Base of all methods: how batches are drawn, the loss, and the classifier after training.

The network is the same for every method: a backbone (image to feature z) and a linear head (z to
logits).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, TypeVar

import numpy as np
import torch
from torch import nn

from clmle.classifiers._base import Classifier, Validation
from clmle.classifiers.linear import HeadClassifier
from clmle.config import Config
from clmle.data.base import Task
from clmle.samplers.proportions import class_proportions

METHODS: dict[str, type[Method]] = {}
M = TypeVar("M", bound="type[Method]")


def register(name: str) -> Callable[[M], M]:
    """Class decorator that registers a method under ``name``.

    Examples
    --------
    >>> from clmle.methods import Softmax, get_method, register
    >>> @register("my-softmax")
    ... class MySoftmax(Softmax):
    ...     title = "My softmax"
    >>> get_method("my-softmax").title
    'My softmax'
    >>> del METHODS["my-softmax"]
    """

    def enter(cls: M) -> M:
        METHODS[name] = cls
        return cls

    return enter


@dataclass(frozen=True)
class Outputs:
    """Outputs of the network for a batch.

    Attributes
    ----------
    features : (B, d) tensor
        z, not normalized.
    logits : (B, C) tensor
        Logits of the linear head.
    labels : (B,) tensor
    progress : float
        Fraction of all training steps done, in [0, 1).
    is_logged : bool
        Whether the parts of the loss are logged; a method may then compute costly ones.
    """

    features: torch.Tensor
    logits: torch.Tensor
    labels: torch.Tensor
    progress: float = 0.0
    is_logged: bool = False


@dataclass(frozen=True)
class Batch:
    """The training images of one step.

    Attributes
    ----------
    indices : (B,) array
        Indices of the training images.
    extra : any
        Whatever the loss of the method needs.
    class_proportions : (C,) array, optional
        Proportions of the classes, if other than :meth:`Method.class_proportions`.
    """

    indices: np.ndarray
    extra: Any = None
    class_proportions: np.ndarray | None = None


@dataclass(frozen=True)
class Loss:
    """The loss of a batch.

    Attributes
    ----------
    total : () tensor
        The value to differentiate.
    parts : mapping of str to () tensor
        Terms to log, detached and still on the device.
    after_backward : callable
        Called after the backward pass of a training step: stores what the method keeps of the
        batch, such as the losses of its samples. Reading them earlier would make the host wait
        while a GPU has no work queued.
    """

    total: torch.Tensor
    parts: Mapping[str, torch.Tensor]
    after_backward: Callable[[], None] = field(default_factory=lambda: _nothing)


def _nothing() -> None:
    """Keep nothing of a batch."""


class HeadStack(Protocol):
    """The loss of all heads of a method at once; the attribute is the second dimension."""

    def loss(self, outputs: Outputs, positions: np.ndarray, proportions: np.ndarray) -> Loss:
        """Return the loss of features (B, A, d), positions (B, A), class proportions (A, 2)."""

    def changes(self) -> dict[str, np.ndarray]:
        """Return arrays of this process's last step, by name."""

    def merge(self, steps: Sequence[dict[str, np.ndarray]]) -> None:
        """Apply the :meth:`changes` of all processes, in order of rank."""


class Method(ABC):
    """Base of all methods; a subclass sets the class variables and the abstract hooks.

    Every random draw comes from (seed, step), so a resumed run continues exactly. ``modules``
    holds what the method trains next to the network, such as class weights or centers; the
    trainer optimizes and stores it.

    Parameters
    ----------
    options : dataclass
        An instance of ``Options``.
    task : Task
    batch_size : int
        Images in a batch. ``step_size`` is larger if several processes draw a batch each.
    seed : int
    feature_dim : int
        Dimension d of the features.

    Attributes
    ----------
    labels : (n,) array
        Class of every training image.
    counts : (C,) array
        Training images of every class.
    """

    title: ClassVar[str]
    summary: ClassVar[str]
    Options: ClassVar[type]
    group: ClassVar[str] = "sampling and class weights"  # heading in lists of methods
    uses_clusters: ClassVar[bool] = False
    # Whether the loss accepts any training images, or only a batch that the method drew.
    reads_any_batch: ClassVar[bool] = True
    # Whether the loss corrects for the proportions in which the classes of a batch were drawn.
    corrects_proportions: ClassVar[bool] = False

    def __init__(
        self, options: Any, task: Task, batch_size: int, seed: int, feature_dim: int = 64
    ) -> None:
        self.options = options
        self.labels = task.labels[task.train]
        self.counts = task.class_counts("train")
        self.batch_size = self.step_size = batch_size
        self.seed = seed
        self.feature_dim = feature_dim
        self.n_classes = len(self.counts)
        self.modules = nn.ModuleDict()
        self.device = torch.device("cpu")
        self.build()

    def build(self) -> None:
        """Create the entries of ``modules``; by default there are none."""

    def to(self, device: torch.device) -> None:
        """Move ``modules`` to ``device``, and what the method computes between the rounds."""
        self.modules.to(device)
        self.device = device

    def generator(self, *key: int) -> np.random.Generator:
        """Return the random generator of one draw, identified by ``key``."""
        return np.random.default_rng([self.seed, *key])

    @classmethod
    def preset(cls, config: Config, kind: str) -> Config:
        """Return ``config`` of a preset with the defaults of this method for a kind of task.

        ``kind`` is "single-label", "multi-label" or "open-set".
        """
        return config

    @classmethod
    def uses_all_parameters(cls, options: Any) -> bool:
        """Whether the loss of every batch uses all that the network and ``modules`` train.

        Processes that train together then need not search each step for unused parameters.
        """
        return False

    @classmethod
    def stack_heads(cls, heads: Sequence[Method]) -> HeadStack | None:
        """Return the loss of several heads of this method in one call; None: head by head."""
        return None

    @abstractmethod
    def sample_batch(self, step: int) -> Batch:
        """Return the batch of ``step``."""

    def class_proportions(self) -> np.ndarray:
        """Return the expected proportions of the classes in a batch, (C,)."""
        return class_proportions(self.counts, power=1)

    def augment(self, images: torch.Tensor, batch: Batch, step: int) -> torch.Tensor:
        """Return the images (B, channels, H, W) of a batch, of range about [-1, 1], augmented."""
        return images

    @abstractmethod
    def loss(self, outputs: Outputs, batch: Batch) -> Loss:
        """Return the loss of a batch."""

    def start_round(
        self, round: int, features: np.ndarray | None, prior: np.ndarray | None = None
    ) -> None:
        """Prepare a round, called before its first step.

        ``features`` (n, d) are z of all training images, None unless
        :meth:`needs_train_features`. ``prior`` (n, any) are features from a file of the user for
        the first clustering.
        """

    def on_validation(self, metrics: Mapping[str, Any]) -> None:
        """Receive the validation metrics of a round, such as ``balanced_accuracy``."""

    def fit_classifier(self, train_features: np.ndarray, validation: Validation) -> Classifier:
        """Return the classifier of the trained network.

        ``train_features`` (n, d) are z of the training images and empty unless
        :meth:`needs_train_features`; ``validation`` are z, logits and labels.
        """
        return HeadClassifier()

    @property
    def detach_head(self) -> bool:
        """Whether the head's loss trains the head alone and not the features."""
        return False

    def needs_train_features(self) -> bool:
        """Whether the method uses the features of all training images."""
        return self.uses_clusters

    def margin_candidates(self) -> list[Any]:
        """Return options to compare in short trials on validation data, before training."""
        return []

    def assignment(self) -> np.ndarray | None:
        """Return the cluster of every training image, (n,); None without clusters."""
        return None

    def state(self) -> dict[str, torch.Tensor]:
        """Return what a resumed run needs, apart from the network and ``modules``."""
        return {}

    def load_state(self, state: dict[str, torch.Tensor]) -> None:
        """Restore what :meth:`state` returned."""
