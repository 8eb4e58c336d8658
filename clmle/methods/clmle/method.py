"""The method "clmle": cluster-based large margin local embedding with the corrected defaults."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F

from clmle.classifiers._base import (
    Classifier,
    Validation,
    accuracy_of_predictions,
    best_classifier,
    unit_rows,
)
from clmle.classifiers.knn import KNNClassifier
from clmle.classifiers.nearest_cluster import ClusterClassifier, predictions_by_neighbors
from clmle.classifiers.stacked import StackedClassifier
from clmle.config import Config
from clmle.device import to_device, to_host
from clmle.losses.class_weights import inverse_frequency_weights
from clmle.losses.clmle import clmle_loss
from clmle.margins import margin_bounds
from clmle.methods._base import Batch, HeadStack, Loss, Method, Outputs, register
from clmle.methods._cluster_method import ClusterMethod
from clmle.methods.clmle.multilabel import StackedHeads
from clmle.methods.clmle.options import CLMLEOptions
from clmle.methods.clmle.terms import HEAD_TERM, MARGIN_TERM, TermSum, head_loss
from clmle.samplers.class_balanced import balanced_indices
from clmle.samplers.cluster import ClusterBatch
from clmle.samplers.hard_cluster import HardClusterSampler
from clmle.samplers.proportions import class_proportions


@register("clmle")
class CLMLE(ClusterMethod):
    """Eq. 9 between clusters together with the loss of a linear head; prediction by Eq. 10.

    With ``sampler="cluster-neighborhood"`` a batch of ``batch_size`` samples has two parts: M
    clusters for Eq. 9, and samples drawn evenly over classes for the head. The second part keeps
    the other clusters of a large class from drifting while a batch holds one neighborhood.
    """

    title = "CLMLE"
    summary = (
        "Margins between balanced clusters: hard clusters are drawn more often, with a linear head."
    )
    Options: ClassVar[type] = CLMLEOptions
    corrects_proportions = True

    reached: float | None = None  # best balanced accuracy, 0 at chance, 1 at best

    def build(self) -> None:
        if self.options.sampler == "cluster-neighborhood":
            self.check_fit()

    @classmethod
    def preset(cls, config: Config, kind: str) -> Config:
        """The presets of the three kinds of task; see docs/method.md for their reasons."""
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
        train = replace(train, pretrain_method=pretrain, calibration="balanced-logistic")
        return replace(config, options=options, train=train)

    @classmethod
    def uses_all_parameters(cls, options: CLMLEOptions) -> bool:
        return options.softmax_weight > 0 and not options.detach_head

    @classmethod
    def stack_heads(cls, heads: Sequence[Method]) -> HeadStack | None:
        return StackedHeads.of(heads)

    # --- warm-up ----------------------------------------------------------------------------

    def on_validation(self, metrics: Mapping[str, Any]) -> None:
        chance = 1 / np.count_nonzero(self.counts)
        gain = metrics["balanced_accuracy"] - chance
        reached = gain / (1 - chance) if chance < 1 else 1.0
        self.reached = max(reached, self.reached or 0.0)

    @property
    def is_warming_up(self) -> bool:
        """Whether Eq. 9 is left out because features do not separate the classes yet.

        The nearest clusters of other classes are then arbitrary, and pushing them apart delays
        learning. Without the head's loss there is no other term to learn from.
        """
        o = self.options
        return bool(o.softmax_weight and self.reached is not None and self.reached < o.warmup_until)

    @property
    def detach_head(self) -> bool:
        return self.options.detach_head and not self.is_warming_up

    def state(self) -> dict[str, torch.Tensor]:
        state = super().state()
        if self.reached is not None:
            state["reached"] = torch.tensor(self.reached, dtype=torch.float64)
        return state

    def load_state(self, state: dict[str, torch.Tensor]) -> None:
        state = dict(state)
        reached = state.pop("reached", None)
        self.reached = None if reached is None else float(reached)
        super().load_state(state)

    # --- batches ----------------------------------------------------------------------------

    def sample_batch(self, step: int) -> Batch:
        o = self.options
        generator = self.generator(step)
        if o.sampler == "all-clusters":
            powers = o.class_power, o.hardness_power if o.query == "hardest" else 0.0
            limits = o.without_replacement, self.step_size, o.max_class_fraction, o.hard_fraction
            sampler = HardClusterSampler(self.index, self.batch_size, *powers, *limits)
            return Batch(sampler.draw(generator))
        part = self.neighborhood(generator, o.query)
        n_rest = self.batch_size - len(part.indices)
        if o.softmax_weight == 0 or n_rest <= 0:
            return Batch(part.indices, part)
        rest = balanced_indices(self.labels, n_rest, generator)
        return Batch(np.concatenate([part.indices, rest]), part)

    def class_proportions(self) -> np.ndarray:
        o = self.options
        if o.sampler != "all-clusters":
            return super().class_proportions()
        most = o.max_class_fraction if o.without_replacement else None
        return class_proportions(self.counts, o.class_power, self.step_size, most)

    # --- loss -------------------------------------------------------------------------------

    def loss(self, outputs: Outputs, batch: Batch) -> Loss:
        o = self.options
        part: ClusterBatch | None = batch.extra
        # Eq. 9 on the clusters of a batch and the head on its other samples, or both on all.
        n = len(batch.indices) if part is None else len(part.indices)
        first = 0 if part is None or n == len(batch.indices) else n
        terms = TermSum(outputs.features, batch.indices.shape)
        moved: torch.Tensor | None = None  # the features that the stored centroids move towards
        if o.softmax_weight:
            logits, labels = outputs.logits[first:], outputs.labels[first:]
            losses = head_loss(logits.float(), labels, self.head_proportions(batch), o.head_loss)
            name = HEAD_TERM[o.head_loss]
            terms.add(name, o.softmax_weight, losses, losses.mean(), slice(first, None))
        if o.margin_weight and not self.is_warming_up:
            unit = F.normalize(outputs.features[:n].float(), dim=1)
            labels = outputs.labels[:n]
            losses, hinges = self.margin_losses(unit, labels, batch.indices[:n], part)
            terms.add(MARGIN_TERM, o.margin_weight, losses, losses.mean(), slice(n))
            if outputs.is_logged:
                terms.log_activity(hinges, labels >= 0, o.within_weight != 0)
            if o.centroids != "batch":
                moved = unit
        rows, seen = batch.indices[:n], terms.losses[:n]

        def after_backward() -> None:
            if moved is None:
                (losses,) = to_host(seen)
            else:
                losses, units = to_host(seen, moved)
                self.index.move(self.index.assignment[rows], units, o.centroid_momentum)
            self.index.record(rows, losses)

        return Loss(terms.total, terms.parts, after_backward)

    def head_proportions(self, batch: Batch) -> np.ndarray | None:
        """Class proportions (C,) for which the head's loss is corrected; None: no correction."""
        if batch.extra is not None or not self.options.logit_adjustment:
            return None
        given = batch.class_proportions
        return self.class_proportions() if given is None else given

    def margin_losses(
        self,
        unit: torch.Tensor,
        labels: torch.Tensor,
        rows: np.ndarray,
        part: ClusterBatch | None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Eq. 9 of every sample with its class weight (B,), and its two hinges (2, B)."""
        o = self.options
        device = unit.device
        between, within = self.margins(unit.shape[1])
        margins = between, to_device(within, device)
        if o.centroids != "batch":
            # On a CPU they share memory with the index, which moves them after the backward pass.
            stored = to_device(self.index.centroids, device)
        if o.centroids == "local":
            classes = to_device(self.index.classes, device)
            return self.weighted_eq_9(unit, labels, classes, margins, centroids=stored)
        centroids = None
        if o.centroids == "memory":
            slots, slot_classes = self.index.assignment[rows], self.index.classes
            centroids = stored
        elif part is not None:
            slots, slot_classes = part.slots, part.classes
        else:
            present, slots = np.unique(self.index.assignment[rows], return_inverse=True)
            slot_classes = self.index.classes[present]
        clusters = to_device(slots, device)
        if o.normalize_centroids and centroids is None:
            members = F.one_hot(clusters, len(slot_classes)).to(unit.dtype)
            centroids = F.normalize(members.T @ unit, dim=1)
        classes = to_device(slot_classes, device)
        return self.weighted_eq_9(
            unit, labels, classes, margins, centroids=centroids, clusters=clusters
        )

    def weighted_eq_9(
        self,
        unit: torch.Tensor,
        labels: torch.Tensor,
        classes: torch.Tensor,
        margins: tuple[float | torch.Tensor, torch.Tensor],
        *,
        centroids: torch.Tensor | None,
        clusters: torch.Tensor | None = None,
        known: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Eq. 9 of unit features (..., B, d) times the class weights (..., B), and its two hinges.

        ``classes`` (..., K) are those of the clusters, ``margins`` a1 and a2. Where ``clusters``
        (..., B) is None, each sample is compared with the nearest of the stored ``centroids``
        (..., K, d). ``known`` (..., B) selects the samples that count for the class weights.
        """
        o = self.options
        hinges = clmle_loss(
            unit,
            clusters,
            classes,
            *margins,
            scale=o.scale,
            denominator=o.denominator,
            centroids=centroids,
            labels=labels,
            n_negative_clusters=o.n_negative_clusters if clusters is None else None,
            within_weight=o.within_weight,
            reduction="terms",
            validate=False,
        )
        losses = hinges[0] + o.within_weight * hinges[1] if o.within_weight else hinges[0]
        if o.class_weighting:
            losses = losses * inverse_frequency_weights(labels, self.n_classes, known)
        return losses, hinges.detach()

    def margins(self, dim: int) -> tuple[float, torch.Tensor]:
        """a1 and a2 (C,): as given, or fractions of their upper bounds."""
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
        """Upper bounds of a2, (C,); they never fall as the proportion of a class grows."""
        return np.asarray(margin_bounds(self.counts).within_arc)

    def margin_candidates(self) -> list[Any]:
        o = self.options
        if o.between_margin is not None:
            return []
        return [replace(o, between_margin_fraction=part) for part in (0.25, 0.125, 0.05)]

    # --- classifier -------------------------------------------------------------------------

    def fit_classifier(self, train_features: np.ndarray, validation: Validation) -> Classifier:
        """Nearest clusters, stacked with the head; weights are fitted on validation data."""
        classifier = self.fit_neighbors(train_features, validation)
        if not self.options.stack_head:
            return classifier
        return StackedClassifier.fitted(classifier, validation)

    def fit_neighbors(self, train_features: np.ndarray, validation: Validation) -> Classifier:
        """Nearest clusters, or training images, with the N of the best balanced accuracy."""
        o = self.options
        unit = unit_rows(train_features)
        index = self.index
        centroids = index.centroids if o.normalize_centroids else index.means(unit)
        between, within = self.margins(train_features.shape[1])
        margins = {"between_margin": between, "within_margin": [float(a) for a in within]}

        grid = [o.n_neighbors] if o.n_neighbors else neighbor_grid(o.rule, len(centroids))
        if o.rule == "k-nn":
            numbers = [min(n, len(unit)) for n in grid]
            each = [KNNClassifier(unit, self.labels, n, self.n_classes) for n in numbers]
            return best_classifier(each, validation) if len(each) > 1 else each[0]
        best = min(grid[0], len(centroids))
        if len(grid) > 1:
            features, _, labels = validation
            own = centroids, index.classes, grid, o.rule
            predicted = predictions_by_neighbors(
                unit_rows(features), *own, scale=o.scale, n_classes=self.n_classes
            )
            accuracies = [accuracy_of_predictions(labels, one) for one in predicted]
            best = grid[int(np.argmax(accuracies))]
        return ClusterClassifier(
            centroids, index.classes, best, o.rule, o.scale, self.n_classes, margins
        )


def neighbor_grid(rule: str, n_clusters: int) -> list[int]:
    """Values of N to try: the paper's 20, 30, ..., 200, and smaller ones for corrected rules."""
    if rule == "k-nn":
        return [1, 3, 5, 15, 31]
    grid = list(range(20, 201, 10))
    if rule != "printed":
        grid = [1, 2, 3, 5, 10, *grid]
    return sorted({min(n, n_clusters) for n in grid})
