"""Classifiers with class weights of their own: noisy softmax, CoCo, AdaFace, LDAM, BCL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from clmle.classifiers._base import Classifier, unit_rows
from clmle.classifiers.linear import LinearClassifier
from clmle.config import option
from clmle.data.base import Task
from clmle.losses.adaface import adaface_logits
from clmle.losses.balanced_contrastive import balanced_contrastive_loss
from clmle.losses.coco import coco_loss, coco_scale
from clmle.losses.ldam import ldam_loss, ldam_margins
from clmle.losses.noisy import noisy_logits
from clmle.methods.base import Batch, Loss, Outputs, register
from clmle.methods.costs import effective_numbers
from clmle.methods.softmax import Drawn, Softmax


class ClassWeightsMethod(Softmax):
    """Class weights W (C, d) that a subclass's loss trains; judged by W f, or by the cosine."""

    Options: ClassVar[type] = Drawn
    unit: ClassVar[bool] = True

    def __init__(
        self, options: Any, task: Task, batch_size: int, seed: int, feature_dim: int = 64
    ) -> None:
        super().__init__(options, task, batch_size, seed, feature_dim)
        self.linear = nn.Linear(feature_dim, self.n_classes, bias=False)
        self.modules["classifier"] = self.linear

    def fit_classifier(
        self,
        train_features: np.ndarray,
        validation: tuple[np.ndarray, np.ndarray, np.ndarray],
    ) -> Classifier:
        weights = self.linear.weight.detach().float().cpu().numpy()
        name = "largest cosine" if self.unit else "largest logit"
        return LinearClassifier(
            unit_rows(weights) if self.unit else weights,
            np.zeros(self.n_classes, np.float32),
            self.unit,
            name,
        )


@dataclass(frozen=True)
class NoisyOptions(Drawn):
    """Noisy softmax."""

    alpha: float = option(0.1, "strength of the annealed noise")


@register("noisy-softmax")
class NoisySoftmax(ClassWeightsMethod):
    """Chen, Deng, Du: Noisy Softmax (CVPR 2017)."""

    title: ClassVar[str] = "Noisy softmax"
    summary: ClassVar[str] = "Noise takes from the true logit, so that softmax saturates later."
    reads_any_batch: ClassVar[bool] = False  # the noise is drawn with the batch
    Options: ClassVar[type] = NoisyOptions
    unit: ClassVar[bool] = False

    def sample_batch(self, step: int) -> Batch:
        batch = super().sample_batch(step)
        noise = self.generator(step, 7).standard_normal(len(batch.indices)).astype(np.float32)
        return Batch(batch.indices, noise)

    def loss(self, outputs: Outputs, batch: Batch) -> Loss:
        noise = self.per_class(batch.extra, outputs.features)
        logits = noisy_logits(
            outputs.features, self.linear.weight, outputs.labels, noise, self.options.alpha
        )
        loss = F.cross_entropy(logits, outputs.labels)
        return Loss(loss, {"softmax": loss.detach()})


@dataclass(frozen=True)
class CoCoOptions(Drawn):
    """Congenerous cosine loss."""

    lower_bound: float = option(1e-4, "loss of perfect features, from which the scale follows")


@register("coco")
class CoCo(ClassWeightsMethod):
    """Liu, Li, Wang: CoCo loss, second version (2017)."""

    title: ClassVar[str] = "CoCo loss"
    summary: ClassVar[str] = "Softmax of cosines to class centroids, at a derived scale."
    Options: ClassVar[type] = CoCoOptions

    def loss(self, outputs: Outputs, batch: Batch) -> Loss:
        scale = coco_scale(self.n_classes, self.options.lower_bound)
        loss = coco_loss(outputs.features, outputs.labels, self.linear.weight, scale)
        return Loss(loss, {"cosine softmax": loss.detach()})


class NormStatistics(nn.Module):
    """Running mean and spread of feature lengths.

    The first batches are averaged plainly. AdaFace's own start (20 and 100) takes hundreds of
    steps to fade, during which the margin would not follow the lengths at all.
    """

    mean: torch.Tensor
    spread: torch.Tensor
    seen: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        for name in ("mean", "spread", "seen"):
            self.register_buffer(name, torch.tensor(0.0))

    @torch.no_grad()
    def update(self, norms: torch.Tensor, rate: float = 0.01) -> tuple[float, float]:
        self.seen += 1
        rate = max(rate, 1 / float(self.seen))
        self.mean.lerp_(norms.mean(), rate)
        self.spread.lerp_(norms.std(), rate)
        return float(self.mean), float(self.spread)


@dataclass(frozen=True)
class AdaFaceOptions(Drawn):
    """AdaFace."""

    margin: float = option(0.4, "m")
    h: float = option(0.333, "how much of the spread of lengths counts")
    scale: float = option(16.0, "s of the cosines")


@register("adaface")
class AdaFace(ClassWeightsMethod):
    """Kim, Jain, Liu: AdaFace (CVPR 2022)."""

    title: ClassVar[str] = "AdaFace"
    summary: ClassVar[str] = "Cosine softmax whose margin follows the length of a feature."
    Options: ClassVar[type] = AdaFaceOptions

    def __init__(
        self, options: Any, task: Task, batch_size: int, seed: int, feature_dim: int = 64
    ) -> None:
        super().__init__(options, task, batch_size, seed, feature_dim)
        self.norms = NormStatistics()
        self.modules["norms"] = self.norms

    def loss(self, outputs: Outputs, batch: Batch) -> Loss:
        o = self.options
        mean, spread = self.norms.update(outputs.features.detach().norm(dim=1))
        logits = adaface_logits(
            outputs.features, self.linear.weight, outputs.labels, mean, spread,
            margin=o.margin, h=o.h, scale=o.scale,
        )  # fmt: skip
        loss = F.cross_entropy(logits, outputs.labels)
        return Loss(loss, {"margin softmax": loss.detach()})


@dataclass(frozen=True)
class LDAMOptions:
    """LDAM with deferred re-weighting."""

    largest_margin: float = option(0.5, "margin of the rarest class, in cosine")
    scale: float = option(16.0, "s of the cosines")
    start: float = option(0.8, "share of the steps before classes are weighted (DRW)")
    beta: float = option(0.9999, "of the effective number of samples in those weights")


@register("ldam-drw")
class LDAMDRW(ClassWeightsMethod):
    """Cao, Wei, Gaidon, Arechiga, Ma: LDAM with deferred re-weighting (NeurIPS 2019)."""

    title: ClassVar[str] = "LDAM-DRW"
    summary: ClassVar[str] = "Wider margins for rarer classes; classes weighted near the end."
    Options: ClassVar[type] = LDAMOptions
    sampling: ClassVar[str] = "natural"

    def loss(self, outputs: Outputs, batch: Batch) -> Loss:
        o = self.options
        cosine = F.linear(
            F.normalize(outputs.features, dim=1), F.normalize(self.linear.weight, dim=1)
        )
        weight = None
        if outputs.progress >= o.start:
            costs = 1 / effective_numbers(self.counts, o.beta)
            weight = self.per_class(costs / costs.sum() * self.n_classes, cosine)
        margins = ldam_margins(torch.as_tensor(self.counts), o.largest_margin)
        loss = ldam_loss(cosine, outputs.labels, margins, o.scale, weight)
        return Loss(loss, {"margin softmax": loss.detach()})


@dataclass(frozen=True)
class BCLOptions:
    """Balanced contrastive learning."""

    temperature: float = option(0.1, "of similarities")
    weight: float = option(0.35, "of the contrastive term beside the logit-compensated softmax")


@register("balanced-contrastive")
class BalancedContrastive(ClassWeightsMethod):
    """Zhu and others: Balanced Contrastive Learning (CVPR 2022), one view an image.

    The classifier's own unit weights serve as the class prototypes of the contrastive term.
    """

    title: ClassVar[str] = "Balanced contrastive (BCL)"
    summary: ClassVar[str] = "Balanced softmax and a contrastive term that averages classes."
    Options: ClassVar[type] = BCLOptions
    unit: ClassVar[bool] = False
    sampling: ClassVar[str] = "natural"

    def loss(self, outputs: Outputs, batch: Batch) -> Loss:
        o = self.options
        prior = self.per_class(np.log(self.counts / self.counts.sum()), outputs.features)
        softmax = F.cross_entropy(self.linear(outputs.features) + prior, outputs.labels)
        contrast = balanced_contrastive_loss(
            F.normalize(outputs.features, dim=1),
            outputs.labels,
            F.normalize(self.linear.weight, dim=1),
            o.temperature,
        )
        parts = {"softmax": softmax.detach(), "contrast": contrast.detach()}
        return Loss(softmax + o.weight * contrast, parts)
