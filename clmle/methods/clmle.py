"""Cluster-based Large Margin Local Embedding: to the letter, and repaired by name."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F

from clmle.batches import ClusterBatch, ClusterBatchSampler
from clmle.data.base import Task
from clmle.errors import InputError
from clmle.losses import clmle_loss, inverse_frequency_weights
from clmle.margins import margin_bounds
from clmle.methods.base import Batch, Loss, Outputs, register
from clmle.methods.clustered import Clustered
from clmle.methods.rules import JointRule, NearestClusterRule, Rule, balanced_accuracy_of, unit_rows
from clmle.methods.sampling import balanced_rows
from clmle.settings import setting


@dataclass(frozen=True)
class CLMLEOptions:
    """The repaired recipe. Each repair has a name and a switch; see docs/METHOD.md."""

    cluster_size: int = setting(200, "l, samples a cluster")
    min_clusters: int = setting(4, "clusters of a class that has fewer than l samples for each")
    clusters_per_batch: int = setting(12, "M, the query cluster and its nearest")
    samples_per_cluster: int = setting(10, "samples of each cluster in a batch")
    same_class_clusters: int = setting(6, "how many of the M are of the query's class")
    query: str = setting(
        "hardest", "query cluster: highest cached loss of a class, or any", ("hardest", "uniform")
    )
    scale: float = setting(8.0, "s, in exp(s f.mu)")
    denominator: str = setting("mean", "sum (as printed) or mean over clusters", ("sum", "mean"))
    normalize_centroids: bool = setting(True, "centroids of unit length in loss and rule")
    between_margin: float | None = setting(None, "a1; none takes a share of its bound")
    between_share: float = setting(0.25, "a1 as a share of its largest feasible value")
    within_margin: float | None = setting(None, "a2; none takes a share of each class's bound")
    within_share: float = setting(0.25, "a2 as a share of its bound")
    within_weight: float = setting(0.0, "weight of the within-class term of Eq. 9")
    embedding_weight: float = setting(0.1, "weight of Eq. 9 beside the softmax term")
    softmax_weight: float = setting(1.0, "weight of the softmax on the evenly drawn part")
    softmax_on: str = setting(
        "even", "samples of the softmax term: the evenly drawn ones, or all", ("even", "all")
    )
    centroids: str = setting(
        "batch", "mu of Eq. 9: means of the batch, or the index's, moving", ("batch", "memory")
    )
    momentum: float = setting(0.9, "of the index's centroids from step to step (memory)")
    rule: str = setting(
        "mean", "nearest-cluster rule at test time", ("printed", "mean", "per-class")
    )
    n_neighbors: int = setting(0, "N, clusters retrieved at test time; 0 chooses on validation")
    joint: bool = setting(False, "add the head's log-odds to the clusters', weighed on validation")
    offset: bool = setting(False, "move the threshold by balanced accuracy on validation data")


@dataclass(frozen=True)
class CLMLEPrintedOptions(CLMLEOptions):
    """The paper to the letter; what it leaves open is the same as in the repaired recipe."""

    min_clusters: int = setting(1, "clusters of a class that has fewer than l samples for each")
    samples_per_cluster: int = setting(20, "samples of each cluster in a batch")
    scale: float = setting(1.0, "s, in exp(s f.mu); the paper has none")
    denominator: str = setting("sum", "sum (as printed) or mean over clusters", ("sum", "mean"))
    normalize_centroids: bool = setting(False, "centroids of unit length in loss and rule")
    within_weight: float = setting(1.0, "weight of the within-class term of Eq. 9")
    embedding_weight: float = setting(1.0, "weight of Eq. 9")
    softmax_weight: float = setting(0.0, "weight of a softmax on evenly drawn samples")
    rule: str = setting(
        "printed", "nearest-cluster rule at test time", ("printed", "mean", "per-class")
    )


@register("clmle")
class CLMLE(Clustered):
    """Eq. 9 on cluster batches beside a softmax on evenly drawn samples; Eq. 10 with means.

    A batch has two parts of together ``batch_size`` samples: M clusters, and samples drawn
    evenly over classes, which keep the rest of a large class from drifting while a batch
    dwells on one neighbourhood.
    """

    title: ClassVar[str] = "CLMLE"
    summary: ClassVar[str] = (
        "Margins between balanced clusters, repaired: means for sums, a scale, a softmax beside."
    )
    Options: ClassVar[type] = CLMLEOptions

    def __init__(
        self, options: CLMLEOptions, task: Task, batch_size: int, seed: int, feature_dim: int = 64
    ) -> None:
        super().__init__(options, task, batch_size, seed, feature_dim)
        _check(options, batch_size)

    # --- batches ----------------------------------------------------------------------------

    def draw(self, step: int) -> Batch:
        o = self.options
        assert self.index is not None
        generator = self.generator(step)
        sampler = ClusterBatchSampler(
            self.index,
            o.clusters_per_batch,
            o.samples_per_cluster,
            o.same_class_clusters,
            o.query,
        )
        part = sampler.draw(generator)
        free = self.batch_size - len(part.rows)
        if (o.softmax_weight == 0 and o.centroids == "batch") or free <= 0:
            return Batch(part.rows, part)
        even = balanced_rows(self.labels, free, generator)
        return Batch(np.concatenate([part.rows, even]), part)

    # --- loss -------------------------------------------------------------------------------

    def loss(self, outputs: Outputs, batch: Batch) -> Loss:
        o = self.options
        part: ClusterBatch = batch.detail
        assert self.index is not None
        device = outputs.features.device
        n = len(part.rows)
        start = n if o.softmax_on == "even" and o.softmax_weight else 0
        if o.centroids == "memory":
            n = len(batch.rows)
            slots, classes = self.index.assignment[batch.rows], self.index.classes
        else:
            slots, classes = part.slots, part.classes
        features = F.normalize(outputs.features[:n].float(), dim=1)
        each, parts = self.embedding_loss(
            features, torch.from_numpy(slots).to(device), torch.from_numpy(classes).to(device)
        )
        weights = inverse_frequency_weights(outputs.labels[:n])
        embedding = (weights * each).mean()
        self.index.record(batch.rows[:n], each.detach().double().cpu().numpy())
        if o.centroids == "memory":
            self.index.move(slots, features.detach().cpu().numpy(), o.momentum)
        total = o.embedding_weight * embedding
        parts["embedding"] = embedding.detach()
        if o.softmax_weight and len(batch.rows) > start:
            softmax = F.cross_entropy(outputs.logits[start:].float(), outputs.labels[start:])
            total = total + o.softmax_weight * softmax
            parts["softmax"] = softmax.detach()
        return Loss(total, parts)

    def embedding_loss(
        self, features: torch.Tensor, slots: torch.Tensor, classes: torch.Tensor
    ) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Eq. 9 of every sample, unweighted, (B,)."""
        o = self.options
        centroids = None
        if o.centroids == "memory":
            assert self.index is not None
            centroids = torch.from_numpy(self.index.centroids).to(features.device)
        elif o.normalize_centroids:
            members = F.one_hot(slots, len(classes)).to(features.dtype)
            centroids = F.normalize(members.T @ features, dim=1)
        between, within = self.margins(features.shape[1], len(classes))
        each = clmle_loss(
            features,
            slots,
            classes,
            between,
            within,
            scale=o.scale,
            denominator=o.denominator,
            centroids=centroids,
            within_weight=o.within_weight,
            reduction="none",
        )
        return each, {}

    def margins(self, dim: int, clusters_in_batch: int = 0) -> tuple[float, torch.Tensor]:
        """a1 and a2 (C,): as given, else shares of the bounds.

        The feasible bound leaves room for the log of the number of other clusters where the
        denominator is a sum.
        """
        o = self.options
        if o.between_margin is not None:
            between = o.between_margin
        else:
            between = o.between_share * self.between_bound(dim)
        if o.within_margin is not None:
            within = np.full(len(self.counts), o.within_margin)
        else:
            within = o.within_share * self.within_bounds()
        return between, torch.as_tensor(within, dtype=torch.float32)

    def between_bound(self, dim: int) -> float:
        """Upper bound of a1 on the sphere."""
        return float(margin_bounds(self.counts, dim).between_sphere)

    def within_bounds(self) -> np.ndarray:
        """Upper bounds of a2, (C,), monotone in a class's share."""
        return np.asarray(margin_bounds(self.counts).within_arc)

    def margin_candidates(self) -> list[Any]:
        o = self.options
        if o.between_margin is not None:
            return []
        return [replace(o, between_share=share) for share in (0.5, 0.25, 0.1)]

    # --- rule -------------------------------------------------------------------------------

    def fit_rule(
        self,
        train_features: np.ndarray,
        validation: tuple[np.ndarray, np.ndarray, np.ndarray],
    ) -> Rule:
        """Centroids of the index as it is, N chosen by balanced accuracy on validation data."""
        assert self.index is not None
        o = self.options
        unit = unit_rows(train_features)
        if o.normalize_centroids:
            centroids = self.index.centroids
        else:
            centroids = np.zeros_like(self.index.centroids)
            np.add.at(centroids, self.index.assignment, unit)
            centroids /= self.index.sizes[:, None].astype(np.float32)
        features, _, labels = validation
        total = len(centroids)
        grid = [o.n_neighbors] if o.n_neighbors else neighbor_grid(o.rule, total)
        best: tuple[float, NearestClusterRule] | None = None
        for n in grid:
            rule = NearestClusterRule(centroids, self.index.classes, n, o.rule, o.scale)
            rule.n_classes = len(self.counts)
            recall = balanced_accuracy_of(labels, rule.scores(features, features))
            if best is None or recall > best[0]:
                best = (recall, rule)
        assert best is not None
        between, within = self.margins(train_features.shape[1])
        best[1].margins = {
            "between_margin": float(between),
            "within_margin": [float(a) for a in within],
        }
        if not (o.joint or o.offset):
            return best[1]
        return JointRule.fitted(best[1], o.joint, o.offset, validation)


@register("clmle-printed")
class CLMLEPrinted(CLMLE):
    """Eqs. 6 to 10 and Fig. 4 as printed."""

    title: ClassVar[str] = "CLMLE as printed"
    summary: ClassVar[str] = (
        "The paper to the letter: sums, no scale, planar margins, printed rule."
    )
    Options: ClassVar[type] = CLMLEPrintedOptions

    def between_bound(self, dim: int) -> float:
        return float(margin_bounds(self.counts).between)

    def within_bounds(self) -> np.ndarray:
        return np.asarray(margin_bounds(self.counts).within)


def neighbor_grid(rule: str, n_clusters: int) -> list[int]:
    """N to try: the paper's 20, 30, ..., 200; smaller ones too for the repaired rules."""
    grid = list(range(20, 201, 10))
    if rule != "printed":
        grid = [1, 2, 3, 5, 10, *grid]
    return sorted({min(n, n_clusters) for n in grid})


def _check(o: CLMLEOptions, batch_size: int) -> None:
    if o.between_margin is not None and not 0 <= o.between_margin <= 2:
        raise InputError(
            f"between_margin is {o.between_margin}, but cosines differ by at most 2; "
            "give a number from 0 to 2."
        )
    if o.within_margin is not None and not 0 <= o.within_margin <= 2:
        raise InputError(
            f"within_margin is {o.within_margin}, but cosines differ by at most 2; "
            "give a number from 0 to 2."
        )
    if o.scale <= 0:
        raise InputError(f"scale is {o.scale}, but must be above 0.")
    if o.clusters_per_batch * o.samples_per_cluster > batch_size:
        raise InputError(
            f"{o.clusters_per_batch} clusters of {o.samples_per_cluster} samples do not fit into "
            f"a batch of {batch_size}; lower one of them or raise batch_size."
        )
