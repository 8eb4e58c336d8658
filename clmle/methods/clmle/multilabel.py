"""CLMLE's loss for the heads of many attributes: one call for all heads, without a loop.

Forty heads one after the other have forty times the overhead of some thirty small operations.
Here their features, logits and centroids are three arrays with the attribute as leading dimension,
and the same functions as for a single head run once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.nn.functional as F

from clmle.cluster_index import ClusterIndex, interpolated_means
from clmle.device import to_device, to_host
from clmle.distributed_index import Changes, DistributedIndex
from clmle.methods._base import Loss, Outputs
from clmle.methods.clmle.terms import HEAD_TERM, MARGIN_TERM, TermSum, head_loss

if TYPE_CHECKING:
    from clmle.methods.clmle.method import CLMLE

NO_CLASS = -2  # of the entries that pad the clusters of an attribute; unknown labels are -1


class StackedHeads:
    """The heads of A attributes; made again whenever their clusters were.

    ``centroids`` (A, K, d) hold those of every head's index, which are views of it from then on.
    Where processes share the indices, a step is kept until the steps of all are merged.
    """

    def __init__(self, heads: Sequence[CLMLE]) -> None:
        self.heads = heads
        self.is_shared = isinstance(heads[0].index, DistributedIndex)
        self._kept: Changes = {}
        indexes = [head.index for head in heads]
        longest = max(index.n_clusters for index in indexes)
        self.centroids = torch.zeros(len(heads), longest, heads[0].feature_dim)
        classes = np.full((len(heads), longest), NO_CLASS, dtype=np.int64)
        for a, index in enumerate(indexes):
            n = index.n_clusters
            own = self.centroids[a, :n].numpy()
            own[:] = index.centroids
            index.centroids = own
            classes[a, :n] = index.classes
        self.classes = torch.from_numpy(classes)
        margins = [head.margins(heads[0].feature_dim) for head in heads]
        self.between = torch.tensor([between for between, _ in margins])
        self.within = torch.stack([within for _, within in margins])

    @classmethod
    def of(cls, heads: Sequence[Any]) -> StackedHeads | None:
        """The heads stacked; None unless they sample all clusters and compare with the nearest."""
        # Clusters that are shared have the dimensions of the user's features until the next merge.
        stackable = all(
            head.index is not None
            and head.index.centroids.shape[1] == head.feature_dim
            and head.options.sampler == "all-clusters"
            and head.options.centroids == "local"
            for head in heads
        )
        return cls(heads) if stackable else None

    def loss(self, outputs: Outputs, positions: np.ndarray, proportions: np.ndarray) -> Loss:
        """Sum over heads of the mean loss over the images with a known label."""
        o = self.heads[0].options
        device = outputs.features.device
        known = outputs.labels.T >= 0  # (A, B)
        labels = outputs.labels.T.clamp(min=0)
        of_mean = known / known.sum(dim=1, keepdim=True).clamp(min=1)
        terms = TermSum(outputs.features, tuple(labels.shape))
        moved: torch.Tensor | None = None  # the features that the centroids move towards
        if self.classes.device != device:
            constant = self.classes, self.between, self.within
            self.classes, self.between, self.within = (to_device(x, device) for x in constant)
        if o.softmax_weight:
            logits = outputs.logits.float().transpose(0, 1)
            sampled = proportions if o.logit_adjustment else None
            losses = head_loss(logits, labels, sampled, o.head_loss)
            n_tasks = known.any(dim=1).sum().clamp(min=1)
            name, mean = HEAD_TERM[o.head_loss], (of_mean * losses).sum()
            terms.add(name, o.softmax_weight, losses, mean, n_tasks=n_tasks)
        warming_up = np.array([head.is_warming_up for head in self.heads])
        if o.margin_weight and not warming_up.all():
            started = to_device(~warming_up, device)[:, None]
            unit = F.normalize(outputs.features.float(), dim=2).transpose(0, 1)
            losses, hinges = self.heads[0].weighted_eq_9(
                unit,
                labels,
                self.classes,
                (self.between[:, None], self.within),
                # On a CPU this is no copy: they move after the backward pass.
                centroids=to_device(self.centroids, device),
                known=known,
            )
            losses = started * losses
            n_tasks = (known & started).any(dim=1).sum().clamp(min=1)
            mean = (of_mean * losses).sum()
            terms.add(MARGIN_TERM, o.margin_weight, losses, mean, n_tasks=n_tasks)
            if outputs.is_logged:
                terms.log_activity(hinges, known & started, o.within_weight != 0)
            moved = unit
        seen = terms.losses

        def after_backward() -> None:
            step = {"positions": positions, "warming_up": warming_up}
            if moved is None:
                (step["losses"],) = to_host(seen)
            else:
                step["losses"], step["units"] = to_host(seen, moved)
            if self.is_shared:
                self._kept = step
            else:
                self.merge([step])

        return Loss(terms.total, terms.parts, after_backward)

    def changes(self) -> Changes:
        """Arrays of the step that is not merged yet, by name."""
        kept, self._kept = self._kept, {}
        return kept

    def merge(self, steps: Sequence[Changes]) -> None:
        """Cache the losses of a step of all processes, in order of rank, and move the centroids."""
        moving = [step for step in steps if "units" in step]
        if moving:
            units = np.concatenate([step["units"] for step in moving], axis=1)
            positions = [np.where(s["warming_up"], -1, s["positions"]) for s in moving]
            momentum = self.heads[0].options.centroid_momentum
            self.move(units, np.concatenate(positions), momentum)
        for step in filter(None, steps):
            for a, head in enumerate(self.heads):
                rows = step["positions"][:, a]
                # Not the record of a shared index, which would keep it for another merge.
                ClusterIndex.record(head.index, rows[rows >= 0], step["losses"][a, rows >= 0])

    def move(self, unit: np.ndarray, positions: np.ndarray, momentum: float) -> None:
        """Move every head's centroids towards the means of its unit rows (A, B, d)."""
        longest, d = self.centroids.shape[1:]
        slots = np.full(positions.T.shape, -1, dtype=np.int64)
        for a, head in enumerate(self.heads):
            rows = positions[:, a]
            slots[a, rows >= 0] = a * longest + head.index.assignment[rows[rows >= 0]]
        known = torch.from_numpy(slots >= 0)
        clusters = torch.from_numpy(slots)[known]
        flat = self.centroids.view(-1, d)
        seen, moved = interpolated_means(flat, clusters, torch.from_numpy(unit)[known], momentum)
        flat[seen] = F.normalize(moved, dim=1)
