"""Softmax (cross-entropy), plain and with the two classic cures: over-sampling and costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
import torch.nn.functional as F

from clmle.methods.base import Batch, Loss, Method, Outputs, register


@dataclass(frozen=True)
class NoOptions:
    """This method has nothing to set."""


@register("softmax")
class Softmax(Method):
    """Cross-entropy on batches drawn as the data come."""

    title: ClassVar[str] = "Softmax"
    summary: ClassVar[str] = "Plain cross-entropy; nothing is done about imbalance."
    Options: ClassVar[type] = NoOptions

    def draw(self, step: int) -> Batch:
        return Batch(shuffled_rows(len(self.labels), self.batch_size, step, self.seed))

    def loss(self, outputs: Outputs, batch: Batch) -> Loss:
        loss = F.cross_entropy(outputs.logits, outputs.labels, weight=self.class_weights(outputs))
        return Loss(loss, {"softmax": loss.detach()})

    def class_weights(self, outputs: Outputs) -> torch.Tensor | None:
        return None


@register("over-sampling")
class OverSampling(Softmax):
    """Cross-entropy on batches drawn evenly over classes."""

    title: ClassVar[str] = "Over-sampling"
    summary: ClassVar[str] = "Cross-entropy on batches that hold every class equally often."

    def draw(self, step: int) -> Batch:
        return Batch(balanced_rows(self.labels, self.batch_size, self.generator(step)))


@register("cost-sensitive")
class CostSensitive(Softmax):
    """Cross-entropy weighted by inverse class frequency."""

    title: ClassVar[str] = "Cost-sensitive"
    summary: ClassVar[str] = "Cross-entropy in which a class weighs as the inverse of its share."

    def class_weights(self, outputs: Outputs) -> torch.Tensor | None:
        weights = len(self.labels) / (len(self.counts) * self.counts)
        return torch.as_tensor(weights, dtype=torch.float32, device=outputs.logits.device)


def shuffled_rows(n: int, batch_size: int, step: int, seed: int) -> np.ndarray:
    """Batch number ``step`` of epochs that are each a shuffle of all n rows."""
    positions = np.arange(step * batch_size, (step + 1) * batch_size)
    rows = np.empty(batch_size, dtype=np.int64)
    for epoch in np.unique(positions // n):
        order = np.random.default_rng([seed, int(epoch), n]).permutation(n)
        here = positions // n == epoch
        rows[here] = order[positions[here] % n]
    return rows


def balanced_rows(labels: np.ndarray, size: int, generator: np.random.Generator) -> np.ndarray:
    """``size`` rows with classes drawn as evenly as can be, rows of a class uniformly."""
    classes = np.unique(labels)
    drawn = np.resize(generator.permutation(classes), size)
    rows = np.empty(size, dtype=np.int64)
    for c in classes:
        here = drawn == c
        rows[here] = generator.choice(np.flatnonzero(labels == c), int(here.sum()))
    return rows
