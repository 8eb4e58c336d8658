"""Stored classifiers as PyTorch modules, with the same scores: for export to other programs.

``as_module(classifier)`` maps z (n, d) and logits (n, C) to scores (n, C), float32, by operations
that ONNX has. ``Classifier.scores`` is the definition; the tests compare both.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from clmle.classifiers import cluster_vote, stacked
from clmle.classifiers._base import Classifier
from clmle.errors import InputError

MODULES: dict[str, Callable[[Any], nn.Module]] = {}  # kind of a stored classifier -> its module


def as_module(classifier: Classifier) -> nn.Module:
    """Return a module with the scores of a classifier."""
    if classifier.kind not in MODULES:
        raise InputError(
            f"The classifier of this run ({classifier.rule}) cannot be exported; write its scores "
            "with clmle predict."
        )
    return MODULES[classifier.kind](classifier)


def module_of(kind: str) -> Callable[[type[nn.Module]], type[nn.Module]]:
    """Class decorator: the module of a kind of stored classifiers."""

    def enter(cls: type[nn.Module]) -> type[nn.Module]:
        MODULES[kind] = cls
        return cls

    return enter


def _buffer(values: Any) -> Tensor:
    return torch.from_numpy(np.array(values, dtype=np.float32))


def _index(values: Any) -> Tensor:
    return torch.from_numpy(np.array(values, dtype=np.int64))


class _Scores(nn.Module):
    """A module with arrays of a classifier as buffers."""

    def __init__(self, **arrays: Tensor) -> None:
        super().__init__()
        for name, tensor in arrays.items():
            self.register_buffer(name, tensor)


@module_of("head")
class HeadScores(nn.Module):
    """The logits."""

    def __init__(self, classifier: Any) -> None:
        super().__init__()

    def forward(self, features: Tensor, logits: Tensor) -> Tensor:
        return logits


@module_of("offset")
class OffsetScores(_Scores):
    """Log-probabilities of the head plus offsets."""

    offset: Tensor

    def __init__(self, classifier: Any) -> None:
        super().__init__(offset=_buffer(classifier.offset))

    def forward(self, features: Tensor, logits: Tensor) -> Tensor:
        return F.log_softmax(logits, dim=1) + self.offset


@module_of("linear")
class LinearScores(_Scores):
    """W f + b."""

    weights: Tensor
    bias: Tensor

    def __init__(self, classifier: Any) -> None:
        super().__init__(weights=_buffer(classifier.weights), bias=_buffer(classifier.bias))
        self.unit = bool(classifier.unit)

    def forward(self, features: Tensor, logits: Tensor) -> Tensor:
        x = F.normalize(features, dim=1) if self.unit else features
        return F.linear(x, self.weights, self.bias)


@module_of("clusters")
class ClusterScores(_Scores):
    """Eq. 10, as printed or corrected."""

    centroids: Tensor
    classes: Tensor
    members: Tensor

    def __init__(self, classifier: Any) -> None:
        classes = np.asarray(classifier.classes)
        super().__init__(
            centroids=_buffer(classifier.centroids),
            classes=_index(classes),
            members=_index(_members(classes, classifier.n_classes)),
        )
        self.rule, self.scale = classifier.rule, float(classifier.scale)
        self.n_classes = int(classifier.n_classes)
        self.n = min(int(classifier.n_neighbors), len(classes))

    def forward(self, features: Tensor, logits: Tensor) -> Tensor:
        similarity = self.scale * F.linear(F.normalize(features, dim=1), self.centroids)
        if self.rule == "per-class":
            least, top, own, count = self._of_every_class(similarity)
        else:
            least, top, own, count = self._of_all(similarity)
        # Sums over the other classes are taken directly: total minus own would cancel.
        others = _sum_of_others(own)
        number = count.sum(dim=1, keepdim=True) - count
        spread = others.log() + top
        if self.rule != "printed":
            spread = spread - number.log()
        score = torch.where(number > 0, least - spread, torch.full_like(least, torch.inf))
        return torch.where(count > 0, score, torch.full_like(score, -torch.inf))

    def _of_all(self, similarity: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Terms of Eq. 10 of each class, (n, C), over the N nearest clusters of all classes."""
        near, index = similarity.topk(self.n, dim=1)
        of_class = self.classes[index]
        top = near[:, :1]
        zero = torch.zeros_like(top).expand(-1, self.n_classes)
        least = (zero + torch.inf).scatter_reduce(1, of_class, near, "amin")
        own = zero.scatter_add(1, of_class, (near - top).exp())
        return least, top, own, zero.scatter_add(1, of_class, torch.ones_like(near))

    def _of_every_class(self, similarity: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The same over the N nearest clusters of every class; ``members`` is -1 for none."""
        is_there = self.members >= 0
        values = similarity[:, self.members.clamp(min=0)]
        values = torch.where(is_there, values, torch.full_like(values, -torch.inf))
        near = values.topk(min(self.n, self.members.shape[1]), dim=2).values
        kept = near > -torch.inf
        top = near.amax(dim=(1, 2))[:, None]
        least = torch.where(kept, near, torch.full_like(near, torch.inf)).amin(dim=2)
        own = (near - top[:, :, None]).exp().sum(dim=2)
        return least, top, own, kept.float().sum(dim=2)


def _members(classes: np.ndarray, n_classes: int) -> np.ndarray:
    """Clusters of each class, (C, largest number), filled up with -1."""
    own = [np.flatnonzero(classes == c) for c in range(n_classes)]
    table = np.full((n_classes, max(map(len, own))), -1)
    for row, numbers in zip(table, own, strict=True):
        row[: len(numbers)] = numbers
    return table


def _sum_of_others(values: Tensor) -> Tensor:
    zero = torch.zeros_like(values[:, :1])
    before = torch.cat([zero, values[:, :-1]], dim=1).cumsum(dim=1)
    after = torch.cat([values[:, 1:], zero], dim=1).flip(1).cumsum(dim=1).flip(1)
    return before + after


@module_of("votes")
class VoteScores(_Scores):
    """Votes of the nearest clusters by Euclidean distance."""

    means: Tensor
    classes: Tensor

    def __init__(self, classifier: Any) -> None:
        super().__init__(means=_buffer(classifier.means), classes=_index(classifier.classes))
        self.n, self.n_classes = int(classifier.n_neighbors), int(classifier.n_classes)
        self.vote, self.variance = classifier.vote, float(classifier.variance)

    def forward(self, features: Tensor, logits: Tensor) -> Tensor:
        unit = F.normalize(features, dim=1)
        squared = (unit**2).sum(dim=1, keepdim=True) - 2 * F.linear(unit, self.means)
        squared = squared + (self.means**2).sum(dim=1)
        distance, index = squared.topk(self.n, dim=1, largest=False)
        of_class = self.classes[index]
        zero = torch.zeros_like(distance[:, :1]).expand(-1, self.n_classes)
        farthest = (zero - torch.inf).scatter_reduce(1, of_class, distance, "amax")
        nearest = (zero + torch.inf).scatter_reduce(1, of_class, distance, "amin")
        if self.vote == "gaussian":
            exponent = -distance / (2 * self.variance)
            top = -nearest / (2 * self.variance)
            total = zero.scatter_add(1, of_class, (exponent - top.gather(1, of_class)).exp())
            return total.log() + top
        # Of the nearest clusters of the other classes: the nearest of all, or the second class's.
        two, which = nearest.topk(2, dim=1, largest=False)
        is_first = torch.arange(self.n_classes, device=which.device) == which[:, :1]
        other = torch.where(is_first, two[:, 1:], two[:, :1]).clamp(max=cluster_vote.BOUND)
        retrieved = farthest > -torch.inf
        return torch.where(retrieved, other - farthest, torch.full_like(other, -torch.inf))


@module_of("prototypes")
class PrototypeScores(_Scores):
    """The largest cosine to a prototype of each class."""

    prototypes: Tensor
    classes: Tensor

    def __init__(self, classifier: Any) -> None:
        names, index = np.unique(classifier.classes, return_inverse=True)
        super().__init__(prototypes=_buffer(classifier.prototypes), classes=_index(index))
        self.n_classes = len(names)

    def forward(self, features: Tensor, logits: Tensor) -> Tensor:
        cosine = F.linear(F.normalize(features, dim=1), self.prototypes)
        least = torch.full_like(cosine[:, :1], -torch.inf).expand(-1, self.n_classes)
        return least.scatter_reduce(1, self.classes.expand_as(cosine), cosine, "amax")


@module_of("neighbors")
class NeighborScores(_Scores):
    """The fraction of each class among the k nearest training features."""

    features: Tensor
    labels: Tensor

    def __init__(self, classifier: Any) -> None:
        super().__init__(features=_buffer(classifier.features), labels=_index(classifier.labels))
        self.k, self.n_classes = int(classifier.k), int(classifier.n_classes)

    def forward(self, features: Tensor, logits: Tensor) -> Tensor:
        similarity = F.linear(F.normalize(features, dim=1), self.features)
        near, index = similarity.topk(self.k, dim=1)
        zero = torch.zeros_like(near[:, :1]).expand(-1, self.n_classes)
        return zero.scatter_add(1, self.labels[index], 1 + 1e-3 * near) / self.k


@module_of("joint")
class StackedScores(_Scores):
    """A weighted sum of a classifier's scores and the head's log-probabilities, plus offsets."""

    offset: Tensor

    def __init__(self, classifier: Any) -> None:
        super().__init__(offset=_buffer(classifier.offset))
        self.part = as_module(classifier.clusters)
        self.weights = float(classifier.cluster_weight), float(classifier.head_weight)

    def forward(self, features: Tensor, logits: Tensor) -> Tensor:
        near: Tensor = self.part(features, logits).clamp(-stacked.BOUND, stacked.BOUND)
        first, head = self.weights
        return first * near + head * F.log_softmax(logits, dim=1) + self.offset


@module_of("attributes")
class MultiLabelScores(nn.Module):
    """The classifiers of A attributes: z (n, A, d) and logits (n, A, 2) to scores (n, A, 2)."""

    def __init__(self, classifier: Any) -> None:
        super().__init__()
        self.parts = nn.ModuleList(map(as_module, classifier.classifiers))

    def forward(self, features: Tensor, logits: Tensor) -> Tensor:
        found = [part(features[:, a], logits[:, a]) for a, part in enumerate(self.parts)]
        return torch.stack(found, dim=1)
