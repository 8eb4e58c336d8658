"""SBCL: contrastive learning of subclasses of the size of the rarest class."""

from dataclasses import dataclass, replace
from math import inf

import numpy as np
import torch
import torch.nn.functional as F

from clmle.classifiers._base import Classifier, Validation, unit_rows
from clmle.config import Config, option
from clmle.device import to_device
from clmle.losses.sbcl import sbcl_loss, subclass_temperatures
from clmle.methods._base import Batch, Loss, Outputs, register
from clmle.methods._cluster_method import ClusterMethod
from clmle.methods._frozen_features import logistic_regression
from clmle.samplers.class_balanced import shuffled_indices
from clmle.samplers.proportions import class_proportions


@dataclass(frozen=True)
class SBCLOptions:
    """Options of subclass-balancing contrastive learning."""

    cluster_size: int = option(
        10, "smallest size of a subclass; otherwise that of the rarest class", bounds=(1, inf)
    )
    min_clusters: int = option(1, "smallest number of subclasses of a class", bounds=(1, inf))
    temperature: float = option(0.1, "temperature of the similarities", bounds=(0, inf), above=True)
    class_weight: float = option(
        0.25, "beta, weight of the contrast between the subclasses of a class", bounds=(0, inf)
    )


@register("sbcl")
class SBCL(ClusterMethod):
    """Classes are divided into subclasses of the size of the rarest; all are contrasted.

    A warm-up with the supervised contrastive loss (``pretrain_method``) comes before the first
    subclasses, which are clustered anew in every round. In place of a second view, the second half
    of a natural batch has an image of the subclass of every image of the first half.

    Hou and others: Subclass-balancing Contrastive Learning for Long-tailed Recognition
    (ICCV 2023).
    """

    title = "Subclass-balancing contrastive (SBCL)"
    summary = "Supervised contrastive learning of subclasses as small as the rarest class."
    Options = SBCLOptions
    temperatures: np.ndarray | None = None

    def build(self) -> None:
        o = self.options
        size = max(o.cluster_size, int(self.counts[self.counts > 0].min()))
        self.options = replace(o, cluster_size=size)

    @classmethod
    def preset(cls, config: Config, kind: str) -> Config:
        """The warm-up is supervised contrastive."""
        return replace(config, train=replace(config.train, pretrain_method="supcon"))

    def start_round(
        self, round: int, features: np.ndarray | None, prior: np.ndarray | None = None
    ) -> None:
        super().start_round(round, features, prior)
        assert features is not None
        unit = torch.from_numpy(unit_rows(features))
        n_subclasses = np.bincount(self.index.classes, minlength=self.n_classes)
        found = subclass_temperatures(
            unit, torch.from_numpy(self.labels), torch.from_numpy(n_subclasses),
            self.options.temperature,
        )  # fmt: skip
        self.temperatures = found.numpy()
        self.set_members()

    def set_members(self) -> None:
        """List the images of every subclass."""
        self.order = np.argsort(self.index.assignment, kind="stable")
        self.sizes = np.bincount(self.index.assignment, minlength=len(self.index.classes))
        self.starts = np.cumsum(self.sizes) - self.sizes

    def sample_batch(self, step: int) -> Batch:
        n_mates = self.batch_size // 2
        first = shuffled_indices(len(self.labels), self.batch_size - n_mates, step, self.seed)
        own = self.index.assignment[first[:n_mates]]
        drawn = self.generator(step).integers(self.sizes[own])
        return Batch(np.concatenate([first, self.order[self.starts[own] + drawn]]))

    def class_proportions(self) -> np.ndarray:
        return class_proportions(self.counts, power=1)

    def loss(self, outputs: Outputs, batch: Batch) -> Loss:
        o, device = self.options, outputs.features.device
        loss = sbcl_loss(
            F.normalize(outputs.features, dim=1),
            outputs.labels,
            to_device(self.index.assignment[batch.indices], device),
            to_device(self.temperatures, device),
            o.temperature,
            o.class_weight,
        )
        return Loss(loss, {"contrast": loss.detach()})

    def fit_classifier(self, train_features: np.ndarray, validation: Validation) -> Classifier:
        return logistic_regression(train_features, self.labels, "linear on frozen features")

    def state(self) -> dict[str, torch.Tensor]:
        state = super().state()
        if self.temperatures is not None:
            state["temperatures"] = torch.from_numpy(self.temperatures)
        return state

    def load_state(self, state: dict[str, torch.Tensor]) -> None:
        state = dict(state)
        temperatures = state.pop("temperatures", None)
        self.temperatures = None if temperatures is None else temperatures.numpy()
        super().load_state(state)
        if self.index is not None:
            self.set_members()
