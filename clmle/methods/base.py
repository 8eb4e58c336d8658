"""What a method is: which samples make a batch, what it loses, and how it judges.

The network is the same for every method: a backbone (image -> feature z) and a linear head
(z -> logits). A method draws batches, turns z and logits into a loss, and after training
judges by a rule of its own.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, TypeVar

import numpy as np
import torch
from torch import nn

from clmle.classifiers._base import Classifier
from clmle.classifiers.linear import HeadClassifier
from clmle.config import Config
from clmle.data.base import Task

METHODS: dict[str, type[Method]] = {}
M = TypeVar("M", bound="type[Method]")


def register(name: str) -> Callable[[M], M]:
    """Class decorator that enters a method under ``name``."""

    def enter(cls: M) -> M:
        METHODS[name] = cls
        return cls

    return enter


@dataclass(frozen=True)
class Outputs:
    """What the network says of a batch.

    ``features`` z (B, d) not normalized, ``logits`` (B, C) of the linear head, ``labels`` (B,);
    ``progress`` in [0, 1) is the share of all training steps done.
    """

    features: torch.Tensor
    logits: torch.Tensor
    labels: torch.Tensor
    progress: float = 0.0


@dataclass(frozen=True)
class Batch:
    """``rows`` (B,) positions among the training rows; ``detail`` is the method's own.

    ``shares`` (C,) are those in which classes were drawn, where not :meth:`Method.class_proportions`.
    """

    indices: np.ndarray
    extra: Any = None
    class_proportions: np.ndarray | None = None


@dataclass(frozen=True)
class Loss:
    """``total`` to differentiate; ``parts`` to plot, tensors kept on the device till then."""

    total: torch.Tensor
    parts: Mapping[str, torch.Tensor]


class HeadStack(Protocol):
    """The loss of one method for all attributes at once, with the attribute as leading dimension."""

    def loss(self, outputs: Outputs, positions: np.ndarray, proportions: np.ndarray) -> Loss:
        """Loss of a batch: features (B, A, d), positions (B, A), class proportions (A, 2)."""


class Method(ABC):
    """Base of all methods; a subclass sets the class variables and the abstract hooks.

    Every random draw comes from (seed, step), so that a resumed run repeats nothing and
    skips nothing. ``own`` holds what the method trains beside the network (class weights,
    centers); the engine optimizes and saves it.

    ``batch_size`` images are drawn at a time; ``step_size`` are those of a step, more where several
    processes draw for it.
    """

    title: ClassVar[str]
    summary: ClassVar[str]
    Options: ClassVar[type]
    uses_clusters: ClassVar[bool] = False
    family: ClassVar[str] = "classifier"
    # Whether the loss takes any rows of training images, or only a batch that the method drew.
    reads_any_batch: ClassVar[bool] = True
    # Whether the loss corrects for the shares in which the classes of a batch were drawn.
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

    def generator(self, *key: int) -> np.random.Generator:
        """The generator of one draw, named by ``key``."""
        return np.random.default_rng([self.seed, *key])

    @classmethod
    def preset(cls, config: Config, kind: str) -> Config:
        """``config`` of a preset with this method's own defaults for a kind of task.

        ``kind`` is "single-label", "multi-label" or "open-set".
        """
        return config

    @classmethod
    def stack_heads(cls, heads: Sequence[Method]) -> HeadStack | None:
        """The loss of several heads of this method in one call; None: head by head."""
        return None

    @abstractmethod
    def sample_batch(self, step: int) -> Batch:
        """The batch of ``step``."""

    def class_proportions(self) -> np.ndarray:
        """Expected shares of the classes in a batch, (C,)."""
        shares: np.ndarray = self.counts / self.counts.sum()
        return shares

    def augment(self, images: torch.Tensor, batch: Batch, step: int) -> torch.Tensor:
        """Further changes of a batch's images (B, channels, H, W), scaled to about [-1, 1]."""
        return images

    @abstractmethod
    def loss(self, outputs: Outputs, batch: Batch) -> Loss:
        """The loss of a batch; may remember what it saw."""

    def start_round(
        self, round: int, features: np.ndarray | None, prior: np.ndarray | None = None
    ) -> None:
        """Called before every round; cluster methods are given z (n, d) of all training rows.

        ``prior`` (n, any) are the user's own features for the first clustering.
        """

    def on_validation(self, metrics: Mapping[str, Any]) -> None:
        """Told before every round: ``balanced_accuracy`` on the validation images, 0 to 1."""

    def fit_classifier(
        self,
        train_features: np.ndarray,
        validation: tuple[np.ndarray, np.ndarray, np.ndarray],
    ) -> Classifier:
        """The rule that judges, from training z (n, d) and validation (z, logits, labels)."""
        return HeadClassifier()

    def needs_train_features(self) -> bool:
        """Whether :meth:`fit_classifier` looks at the training features."""
        return self.uses_clusters

    def margin_candidates(self) -> list[Any]:
        """Options to try for a few steps each on validation data; the best is kept."""
        return []

    def assignment(self) -> np.ndarray | None:
        """Cluster of every training row, (n,), where the method has clusters."""
        return None

    def state(self) -> dict[str, torch.Tensor]:
        """What a resumed run needs beside the network, as tensors."""
        return {}

    def load_state(self, state: dict[str, torch.Tensor]) -> None:
        """Take up what :meth:`state` gave."""
