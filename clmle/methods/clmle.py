"""Cluster-based Large Margin Local Embedding: to the letter, and repaired by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F

from clmle.batches import ClusterBatch, ClusterBatchSampler
from clmle.data.base import Task
from clmle.errors import InputError
from clmle.index import ClusterIndex
from clmle.losses import clmle_loss, inverse_frequency_weights
from clmle.margins import margin_bounds
from clmle.methods.base import Batch, Loss, Method, Outputs, Rule, register
from clmle.methods.softmax import balanced_rows
from clmle.nearest import nearest_cluster_scores
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
    rule: str = setting(
        "mean", "nearest-cluster rule at test time", ("printed", "mean", "per-class")
    )
    n_neighbors: int = setting(0, "N, clusters retrieved at test time; 0 chooses on validation")


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
class CLMLE(Method):
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
    uses_clusters: ClassVar[bool] = True

    def __init__(self, options: CLMLEOptions, task: Task, batch_size: int, seed: int) -> None:
        super().__init__(options, task, batch_size, seed)
        self.index: ClusterIndex | None = None
        _check(options, batch_size)

    # --- batches ----------------------------------------------------------------------------

    def start_round(
        self, round: int, features: np.ndarray | None, prior: np.ndarray | None = None
    ) -> None:
        assert features is not None
        o = self.options
        unit = _unit(features)
        if self.index is None:
            first = unit if prior is None else _unit(prior)
            self.index = ClusterIndex.build(
                first, self.labels, o.cluster_size, min_clusters=o.min_clusters, seed=self.seed
            )
            if prior is not None:
                self.index.recentre(unit)
        else:
            self.index.refresh(unit, seed=self.seed)

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
        if o.softmax_weight == 0 or free <= 0:
            return Batch(part.rows, part)
        even = balanced_rows(self.labels, free, generator)
        return Batch(np.concatenate([part.rows, even]), part)

    # --- loss -------------------------------------------------------------------------------

    def loss(self, outputs: Outputs, batch: Batch) -> Loss:
        o = self.options
        part: ClusterBatch = batch.detail
        n = len(part.rows)
        device = outputs.features.device
        each, parts = self.embedding_loss(
            F.normalize(outputs.features[:n].float(), dim=1),
            torch.from_numpy(part.slots).to(device),
            torch.from_numpy(part.classes).to(device),
        )
        weights = inverse_frequency_weights(outputs.labels[:n])
        embedding = (weights * each).mean()
        assert self.index is not None
        self.index.record(part.rows, each.detach().double().cpu().numpy())
        total = o.embedding_weight * embedding
        parts["embedding"] = embedding.detach()
        if len(batch.rows) > n:
            softmax = F.cross_entropy(outputs.logits[n:].float(), outputs.labels[n:])
            total = total + o.softmax_weight * softmax
            parts["softmax"] = softmax.detach()
        return Loss(total, parts)

    def embedding_loss(
        self, features: torch.Tensor, slots: torch.Tensor, classes: torch.Tensor
    ) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Eq. 9 of every sample, unweighted, (B,)."""
        o = self.options
        centroids = None
        if o.normalize_centroids:
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
        unit = _unit(train_features)
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
            recall = _balanced_accuracy(labels, rule.scores(features, features).argmax(axis=1))
            if best is None or recall > best[0]:
                best = (recall, rule)
        assert best is not None
        between, within = self.margins(train_features.shape[1])
        best[1].margins = {
            "between_margin": float(between),
            "within_margin": [float(a) for a in within],
        }
        return best[1]

    def assignment(self) -> np.ndarray | None:
        return None if self.index is None else self.index.assignment

    # --- resume -----------------------------------------------------------------------------

    def state(self) -> dict[str, torch.Tensor]:
        return {} if self.index is None else self.index.state()

    def load_state(self, state: dict[str, torch.Tensor]) -> None:
        o = self.options
        self.index = None
        if state:
            self.index = ClusterIndex.from_state(self.labels, state, o.cluster_size, o.min_clusters)


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


class NearestClusterRule(Rule):
    """Eq. 10 or a repair of it, over fixed centroids."""

    def __init__(
        self,
        centroids: np.ndarray,
        classes: np.ndarray,
        n_neighbors: int,
        rule: str,
        scale: float = 1.0,
        n_classes: int = 0,
        margins: Mapping[str, Any] | None = None,
    ) -> None:
        self.centroids, self.classes = centroids, classes
        self.n_neighbors, self.rule, self.scale = n_neighbors, rule, scale
        self.n_classes = n_classes or int(classes.max()) + 1
        self.margins = dict(margins or {})

    def scores(self, features: np.ndarray, logits: np.ndarray) -> np.ndarray:
        return nearest_cluster_scores(
            _unit(features),
            self.centroids,
            self.classes,
            self.n_neighbors,
            rule=self.rule,
            scale=self.scale,
            n_classes=self.n_classes,
        )

    def chosen(self) -> dict[str, Any]:
        return {
            "rule": self.rule,
            "n_neighbors": self.n_neighbors,
            "scale": self.scale,
            **self.margins,
        }

    def arrays(self) -> dict[str, np.ndarray]:
        return {"centroids": self.centroids, "classes": self.classes}


def neighbor_grid(rule: str, n_clusters: int) -> list[int]:
    """N to try: the paper's 20, 30, ..., 200; smaller ones too for the repaired rules."""
    grid = list(range(20, 201, 10))
    if rule != "printed":
        grid = [1, 2, 3, 5, 10, *grid]
    return sorted({min(n, n_clusters) for n in grid})


def _unit(features: np.ndarray) -> np.ndarray:
    norms = np.linalg.norm(features, axis=1, keepdims=True)
    return (features / np.maximum(norms, 1e-12)).astype(np.float32)


def _balanced_accuracy(labels: np.ndarray, predicted: np.ndarray) -> float:
    present = np.unique(labels)
    return float(np.mean([(predicted[labels == c] == c).mean() for c in present]))


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
