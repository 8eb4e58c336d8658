"""Cluster-based Large Margin Local Embedding: to the letter, and repaired by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F

from clmle.classifiers._base import Classifier, best_classifier, unit_rows
from clmle.classifiers.knn import KNNClassifier
from clmle.classifiers.nearest_cluster import ClusterClassifier
from clmle.classifiers.stacked import StackedClassifier
from clmle.config import Config
from clmle.data.base import Task
from clmle.losses import clmle_loss, inverse_frequency_weights
from clmle.losses.retrieved import retrieved_margin_loss
from clmle.margins import margin_bounds
from clmle.methods.base import Batch, Loss, Outputs, register
from clmle.methods.clmle_options import CLMLEOptions, CLMLEPaperOptions, check_options
from clmle.methods.cluster_method import ClusterMethod
from clmle.methods.head_loss import PART, head_loss
from clmle.samplers.class_balanced import balanced_indices
from clmle.samplers.cluster import ClusterBatch, ClusterSampler
from clmle.samplers.hard_cluster import HardClusterSampler
from clmle.samplers.proportions import class_proportions


@register("clmle")
class CLMLE(ClusterMethod):
    """Eq. 9 around every sample of a batch that covers all classes, beside a softmax; Eq. 10.

    With ``batches="cluster-neighborhood"`` a batch has two parts of together ``batch_size`` samples: M
    clusters for Eq. 9 and samples drawn evenly over classes for the softmax, which keep the rest
    of a large class from drifting while a batch dwells on one neighborhood.
    """

    title: ClassVar[str] = "CLMLE"
    summary: ClassVar[str] = (
        "Margins between balanced clusters, repaired: hard clusters drawn often, a softmax beside."
    )
    Options: ClassVar[type] = CLMLEOptions
    family: ClassVar[str] = "clusters"
    corrects_proportions: ClassVar[bool] = True

    def __init__(
        self, options: CLMLEOptions, task: Task, batch_size: int, seed: int, feature_dim: int = 64
    ) -> None:
        super().__init__(options, task, batch_size, seed, feature_dim)
        check_options(options, batch_size)
        self.reached: float | None = None  # best so far, from 0 at chance to 1; None: not told

    @classmethod
    def preset(cls, config: Config, kind: str) -> Config:
        """The presets of the three kinds of task; see docs/METHOD.md for their reasons."""
        config = super().preset(config, kind)
        options, train = config.options, config.train
        # The batches of pretraining are those of CLMLE: drawn with replacement, a class of a few
        # dozen images is overfitted before there are clusters.
        pretrain = "sampling-without-replacement"
        if kind == "open-set":
            # Unseen identities are compared by cosines. Identities of few images overfit if they
            # are drawn as often as others, and most are not recognized until late in a run.
            options = replace(options, class_power=0.5, head="cosine", warmup_until=0.0)
        if kind == "multi-label":
            # A batch that is balanced and hard for one attribute is of little use to the others.
            # Natural sampling with fitted offsets trains all heads on every batch, and the squared
            # error of MOON keeps fast attributes from dominating slow ones.
            pretrain = "moon"
            options = replace(
                options,
                class_power=1.0,
                query="uniform",
                logit_adjustment=False,
                head_loss="squared",
                warmup_until=0.0,  # waiting has no benefit where attributes share a network
            )
        train = replace(train, pretrain_method=pretrain, calibration="offsets")
        return replace(config, options=options, train=train)

    # --- when to begin ----------------------------------------------------------------------

    def on_validation(self, metrics: Mapping[str, Any]) -> None:
        chance = 1 / np.count_nonzero(self.counts)
        above = metrics["balanced_accuracy"] - chance
        share = above / (1 - chance) if chance < 1 else 1.0
        self.reached = max(share, self.reached or 0.0)

    @property
    def waits(self) -> bool:
        """Whether features do not tell the classes yet: neighbors of another class are then any.

        Pushing them apart would only keep the features from what there is to learn. Without a
        softmax beside Eq. 9 there is nothing else to learn from.
        """
        o = self.options
        return bool(o.softmax_weight and self.reached is not None and self.reached < o.warmup_until)

    def state(self) -> dict[str, torch.Tensor]:
        reported = (
            {}
            if self.reached is None
            else {"reached": torch.tensor(self.reached, dtype=torch.float64)}
        )
        return super().state() | reported

    def load_state(self, state: dict[str, torch.Tensor]) -> None:
        state = dict(state)
        reached = state.pop("reached", None)
        self.reached = None if reached is None else float(reached)
        super().load_state(state)

    # --- batches ----------------------------------------------------------------------------

    def sample_batch(self, step: int) -> Batch:
        o = self.options
        assert self.index is not None
        generator = self.generator(step)
        if o.sampler == "all-clusters":
            hardness_power = o.hardness_power if o.query == "hardest" else 0.0
            spread = HardClusterSampler(
                self.index,
                self.batch_size,
                o.class_power,
                hardness_power,
                o.without_replacement,
                self.step_size,
                o.max_class_fraction,
                o.hard_fraction,
            )
            return Batch(spread.draw(generator))
        sampler = ClusterSampler(
            self.index,
            o.clusters_per_batch,
            o.samples_per_cluster,
            o.same_class_clusters,
            o.query,
        )
        part = sampler.draw(generator)
        free = self.batch_size - len(part.indices)
        if o.softmax_weight == 0 or free <= 0:
            return Batch(part.indices, part)
        even = balanced_indices(self.labels, free, generator)
        return Batch(np.concatenate([part.indices, even]), part)

    def class_proportions(self) -> np.ndarray:
        o = self.options
        if o.sampler != "all-clusters":
            return super().class_proportions()
        most = o.max_class_fraction if o.without_replacement else None
        return class_proportions(self.counts, o.class_power, self.step_size, most)

    # --- loss -------------------------------------------------------------------------------

    def loss(self, outputs: Outputs, batch: Batch) -> Loss:
        o = self.options
        assert self.index is not None
        part: ClusterBatch | None = batch.extra
        # Eq. 9 on the cluster part and the softmax on the rest, or both on a spread batch.
        n = len(batch.indices) if part is None else len(part.indices)
        first = 0 if part is None or n == len(batch.indices) else n
        total = outputs.features.sum() * 0
        parts: dict[str, torch.Tensor] = {}
        each = torch.zeros(len(batch.indices), device=outputs.features.device)
        if o.softmax_weight:
            head = self.head_loss(outputs.logits[first:], outputs.labels[first:], batch)
            each[first:] += o.softmax_weight * head.detach()
            total = total + o.softmax_weight * head.mean()
            parts[PART[o.head_loss]] = head.mean().detach()
        if o.margin_weight and not self.waits:
            unit = F.normalize(outputs.features[:n].float(), dim=1)
            margin = self.embedding_loss(unit, outputs.labels[:n], batch.indices[:n], part)
            if o.class_weighting:
                margin = margin * inverse_frequency_weights(outputs.labels[:n])
            each[:n] += o.margin_weight * margin.detach()
            total = total + o.margin_weight * margin.mean()
            parts["embedding"] = margin.mean().detach()
            if o.centroids != "batch":
                clusters = self.index.assignment[batch.indices[:n]]
                self.index.move(clusters, unit.detach().cpu().numpy(), o.centroid_momentum)
        seen = slice(None) if part is None else slice(0, n)
        self.index.record(batch.indices[seen], each[seen].double().cpu().numpy())
        return Loss(total, parts)

    def head_loss(self, logits: torch.Tensor, labels: torch.Tensor, batch: Batch) -> torch.Tensor:
        """What the head loses on every sample, corrected for unevenly drawn classes, (B,)."""
        shares = None
        if batch.extra is None and self.options.logit_adjustment:
            shares = (
                self.class_proportions()
                if batch.class_proportions is None
                else batch.class_proportions
            )
        return head_loss(logits.float(), labels, shares, self.options.head_loss)

    def embedding_loss(
        self,
        unit: torch.Tensor,
        labels: torch.Tensor,
        rows: np.ndarray,
        part: ClusterBatch | None,
    ) -> torch.Tensor:
        """Eq. 9 of every sample, unweighted, (B,)."""
        o = self.options
        assert self.index is not None
        device = unit.device
        between, within = self.margins(unit.shape[1])
        # A copy: the index moves its own before the gradient is taken.
        stored = torch.tensor(self.index.centroids, device=device)
        if o.centroids == "local":
            return retrieved_margin_loss(
                unit,
                labels,
                stored,
                torch.from_numpy(self.index.classes).to(device),
                between,
                within.to(device),
                scale=o.scale,
                denominator=o.denominator,
                n_negative_clusters=o.n_negative_clusters,
                within_weight=o.within_weight,
            )
        centroids = None
        if o.centroids == "memory":
            slots, classes = self.index.assignment[rows], self.index.classes
            centroids = stored
        elif part is not None:
            slots, classes = part.slots, part.classes
        else:
            present, slots = np.unique(self.index.assignment[rows], return_inverse=True)
            classes = self.index.classes[present]
        slot = torch.from_numpy(slots).to(device)
        if o.normalize_centroids and centroids is None:
            members = F.one_hot(slot, len(classes)).to(unit.dtype)
            centroids = F.normalize(members.T @ unit, dim=1)
        return clmle_loss(
            unit,
            slot,
            torch.from_numpy(classes).to(device),
            between,
            within,
            scale=o.scale,
            denominator=o.denominator,
            centroids=centroids,
            within_weight=o.within_weight,
            reduction="none",
        )

    def margins(self, dim: int) -> tuple[float, torch.Tensor]:
        """a1 and a2 (C,): as given, else shares of the bounds."""
        o = self.options
        if o.between_margin is not None:
            between = o.between_margin
        else:
            between = o.between_margin_fraction * self.between_bound(dim)
        if o.within_margin is not None:
            within = np.full(len(self.counts), o.within_margin)
        else:
            within = o.within_margin_fraction * self.within_bounds()
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
        return [replace(o, between_margin_fraction=share) for share in (0.25, 0.125, 0.05)]

    # --- rule -------------------------------------------------------------------------------

    def fit_classifier(
        self,
        train_features: np.ndarray,
        validation: tuple[np.ndarray, np.ndarray, np.ndarray],
    ) -> Classifier:
        """Centroids of the index as it is; what is open is chosen on validation data."""
        o = self.options
        rule = self.neighbors(train_features, validation)
        return StackedClassifier.fitted(rule, validation) if o.stack_head else rule

    def neighbors(
        self,
        train_features: np.ndarray,
        validation: tuple[np.ndarray, np.ndarray, np.ndarray],
    ) -> Classifier:
        """Nearest clusters, or training images, with N of the best balanced accuracy."""
        assert self.index is not None
        o = self.options
        unit = unit_rows(train_features)
        if o.normalize_centroids:
            centroids = self.index.centroids
        else:
            centroids = np.zeros_like(self.index.centroids)
            np.add.at(centroids, self.index.assignment, unit)
            centroids /= self.index.sizes[:, None].astype(np.float32)
        between, within = self.margins(train_features.shape[1])
        margins = {"between_margin": between, "within_margin": [float(a) for a in within]}
        rules: list[Classifier] = []
        for n in [o.n_neighbors] if o.n_neighbors else neighbor_grid(o.rule, len(centroids)):
            if o.rule == "k-nn":
                rules.append(KNNClassifier(unit, self.labels, min(n, len(unit)), self.n_classes))
            else:
                rules.append(
                    ClusterClassifier(
                        centroids,
                        self.index.classes,
                        min(n, len(centroids)),
                        o.rule,
                        o.scale,
                        self.n_classes,
                        margins,
                    )
                )
        return rules[0] if len(rules) == 1 else best_classifier(rules, validation)


@register("clmle-paper")
class CLMLEPaper(CLMLE):
    """Eqs. 6 to 10 and Fig. 4 as printed."""

    title: ClassVar[str] = "CLMLE as printed"
    summary: ClassVar[str] = (
        "The paper to the letter: sums, no scale, planar margins, printed rule."
    )
    Options: ClassVar[type] = CLMLEPaperOptions

    @classmethod
    def preset(cls, config: Config, kind: str) -> Config:
        """The paper's settings for every kind of task."""
        return super(CLMLE, cls).preset(config, kind)

    def between_bound(self, dim: int) -> float:
        return float(margin_bounds(self.counts).between)

    def within_bounds(self) -> np.ndarray:
        return np.asarray(margin_bounds(self.counts).within)


def neighbor_grid(rule: str, n_clusters: int) -> list[int]:
    """N to try: the paper's 20, 30, ..., 200; smaller ones too for the repaired rules."""
    if rule == "k-nn":
        return [1, 3, 5, 15, 31]
    grid = list(range(20, 201, 10))
    if rule != "printed":
        grid = [1, 2, 3, 5, 10, *grid]
    return sorted({min(n, n_clusters) for n in grid})
