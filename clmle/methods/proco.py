"""ProCo: contrast with von Mises-Fisher distributions of the classes, estimated while training."""

from dataclasses import dataclass
from math import inf

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from clmle.config import option
from clmle.losses.proco import concentration, proco_logits
from clmle.methods._base import Batch, Loss, Outputs, register
from clmle.methods.softmax import Softmax


class ClassMeans(nn.Module):
    """Running sums of unit features of every class: of this epoch, and of the last one as well.

    The features of a class change during training, so that sums of older epochs are dropped.
    Zero sums, of a class not seen yet, are the uniform distribution.
    """

    sums: torch.Tensor
    counts: torch.Tensor

    def __init__(self, n_classes: int, dim: int) -> None:
        super().__init__()
        self.register_buffer("sums", torch.zeros(2, n_classes, dim))
        self.register_buffer("counts", torch.zeros(2, n_classes))

    @torch.no_grad()
    def update(self, unit: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Add unit features (B, d) of classes (B,); return the means of all classes, (C, d)."""
        member = F.one_hot(labels, self.counts.shape[1]).to(unit.dtype)
        self.sums += member.T @ unit
        self.counts += member.sum(dim=0)
        return self.sums[0] / self.counts[0].clamp(min=1)[:, None]

    @torch.no_grad()
    def next_epoch(self) -> None:
        """Keep the sums of the epoch that ends, and start those of the next."""
        for values in (self.sums, self.counts):
            values[0] = values[1]
            values[1] = 0


@dataclass(frozen=True)
class ProCoOptions:
    """Options of probabilistic contrastive learning."""

    temperature: float = option(0.1, "temperature of the similarities", bounds=(0, inf), above=True)
    weight: float = option(
        1.0, "weight of the contrastive loss, added to the balanced softmax", bounds=(0, inf)
    )


@register("proco")
class ProCo(Softmax):
    """Balanced softmax plus a contrast with the distributions of all classes.

    Left out of the paper: the two further views of each image and the projection head of the
    contrastive loss (the features themselves are compared).

    Du and others: Probabilistic Contrastive Learning for Long-Tailed Visual Recognition
    (TPAMI 2024).
    """

    group = "pairs and contrast"
    title = "Probabilistic contrastive (ProCo)"
    summary = "Balanced softmax and a contrast with von Mises-Fisher distributions of the classes."
    Options = ProCoOptions
    seen = 0  # images since the last epoch ended

    def build(self) -> None:
        self.means = ClassMeans(self.n_classes, self.feature_dim)
        self.modules["means"] = self.means

    def loss(self, outputs: Outputs, batch: Batch) -> Loss:
        o = self.options
        unit, labels = F.normalize(outputs.features, dim=1), outputs.labels
        prior = self.per_class(np.log(self.class_proportions()), unit)
        means = self.means.update(unit.detach(), labels)
        contrast_logits = proco_logits(
            unit, F.normalize(means, dim=1), concentration(means), o.temperature
        )
        softmax = F.cross_entropy(outputs.logits + prior, labels)
        contrast = F.cross_entropy(contrast_logits + prior, labels)
        parts = {"softmax": softmax.detach(), "contrast": contrast.detach()}
        return Loss(softmax + o.weight * contrast, parts, self.count_images)

    def count_images(self) -> None:
        """End the epoch once its batches have as many images as there are for training."""
        self.seen += self.step_size
        if self.seen >= len(self.labels):
            self.seen = 0
            self.means.next_epoch()

    def state(self) -> dict[str, torch.Tensor]:
        return {"seen": torch.tensor(self.seen)}

    def load_state(self, state: dict[str, torch.Tensor]) -> None:
        self.seen = int(state["seen"])
