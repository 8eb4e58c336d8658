"""CLMLE's loss of many heads in one go: as head by head, without a loop over attributes.

Forty heads one after the other cost forty times the overhead of some thirty small operations.
Here their features, logits and centroids lie in three arrays, and every operation is done once.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F

from clmle.cluster_index import ClusterIndex
from clmle.losses.retrieved import retrieved_margin_loss
from clmle.methods.base import Loss, Outputs
from clmle.methods.clmle import CLMLE
from clmle.methods.head_loss import PART, head_loss

NO_CLASS = -2  # of the places that fill up the clusters of an attribute; unknown labels are -1


class StackedHeads:
    """The heads of A attributes; made anew whenever their clusters were.

    ``centroids`` (A, K, d) hold those of every head's index, which are views of it from then on:
    what one moves, the other sees.
    """

    def __init__(self, heads: Sequence[CLMLE]) -> None:
        self.heads = heads
        indexes = [head.index for head in heads]
        longest = max(index.n_clusters for index in indexes if index is not None)
        self.centroids = torch.zeros(len(heads), longest, heads[0].feature_dim)
        classes = np.full((len(heads), longest), NO_CLASS, dtype=np.int64)
        for a, index in enumerate(indexes):
            assert index is not None
            n = index.n_clusters
            own = self.centroids[a, :n].numpy()
            own[:] = index.centroids
            index.centroids = own
            classes[a, :n] = index.classes
        self.classes = torch.from_numpy(classes)
        margins = [head.margins(heads[0].feature_dim) for head in heads]
        self.between = torch.tensor([between for between, _ in margins])
        self.within = torch.stack([within for _, within in margins])

    @staticmethod
    def fit(heads: Sequence[object]) -> bool:
        """Whether these heads can be stacked: CLMLE on batches that cover all clusters.

        Several processes that share an index take its news one by one, and so do their heads.
        """
        return all(
            isinstance(head, CLMLE)
            and type(head.index) is ClusterIndex
            and head.options.sampler == "all-clusters"
            and head.options.centroids == "local"
            for head in heads
        )

    def loss(self, outputs: Outputs, places: np.ndarray, shares: np.ndarray) -> Loss:
        """Sum over heads of the mean over the images that each knows.

        Parameters
        ----------
        outputs : features (B, A, d), logits (B, A, 2), labels (B, A) with -1 for unknown
        places : (B, A) position of each image among those that an attribute is known of, or -1
        shares : (A, 2) in which the classes of each attribute were drawn
        """
        o = self.heads[0].options
        device = outputs.features.device
        labels = outputs.labels.T
        known = labels >= 0
        target = labels.clamp(min=0)
        weight = known / known.sum(dim=1, keepdim=True).clamp(min=1)  # (A, B), of the mean
        total = outputs.features.sum() * 0
        each = torch.zeros(labels.shape, device=device)
        parts: dict[str, torch.Tensor] = {}
        learned = known.any(dim=1).sum().clamp(min=1)
        if o.softmax_weight:
            logits = outputs.logits.float().transpose(0, 1)
            plain = head_loss(logits, target, shares if o.logit_adjustment else None, o.head_loss)
            each += o.softmax_weight * plain.detach()
            whole = (weight * plain).sum()
            total = total + o.softmax_weight * whole
            parts[PART[o.head_loss]] = whole.detach() / learned
        waits = torch.tensor([head.waits for head in self.heads])
        if o.margin_weight and not waits.all():
            begun = ~waits.to(device)[:, None]
            unit = F.normalize(outputs.features.float(), dim=2).transpose(0, 1)
            margin = retrieved_margin_loss(
                unit,
                target,
                self.centroids.to(device, copy=True),  # moved before the gradient is taken
                self.classes.to(device),
                self.between.to(device)[:, None],
                self.within.to(device),
                scale=o.scale,
                denominator=o.denominator,
                n_negative_clusters=o.n_negative_clusters,
                within_weight=o.within_weight,
            )
            if o.class_weighting:
                margin = margin * costs(target, known)
            margin = margin * begun
            each += o.margin_weight * margin.detach()
            whole = (weight * margin).sum()
            total = total + o.margin_weight * whole
            parts["embedding"] = whole.detach() / (known & begun).any(dim=1).sum().clamp(min=1)
            begun_places = np.where(waits.numpy(), -1, places)
            self.move(unit.detach().cpu(), begun_places, o.centroid_momentum)
        seen = each.double().cpu().numpy()
        for a, head in enumerate(self.heads):
            rows = places[:, a]
            assert head.index is not None
            head.index.record(rows[rows >= 0], seen[a, rows >= 0])
        return Loss(total, parts)

    def move(self, unit: torch.Tensor, places: np.ndarray, momentum: float) -> None:
        """Move every head's centroids towards the means of the unit rows (A, B, d) seen."""
        longest, d = self.centroids.shape[1:]
        slots = np.full(places.T.shape, -1, dtype=np.int64)
        for a, head in enumerate(self.heads):
            rows = places[:, a]
            assert head.index is not None
            slots[a, rows >= 0] = a * longest + head.index.assignment[rows[rows >= 0]]
        known = torch.from_numpy(slots >= 0)
        seen, inverse, count = torch.unique(
            torch.from_numpy(slots)[known], return_inverse=True, return_counts=True
        )
        means = torch.zeros(len(seen), d).index_add_(0, inverse, unit[known]) / count[:, None]
        flat = self.centroids.view(-1, d)
        flat[seen] = F.normalize(momentum * flat[seen] + (1 - momentum) * means, dim=1)


def costs(labels: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    """w_i of Eq. 9 for every row of labels (A, B) in {0, 1}, of the entries ``known`` alone."""
    counts = torch.stack([(known & (labels == c)).sum(dim=1) for c in (0, 1)], dim=1)
    present = (counts > 0).sum(dim=1, keepdim=True)
    own = counts.gather(1, labels).clamp(min=1)
    return counts.sum(dim=1, keepdim=True) / (present * own).clamp(min=1).float()
