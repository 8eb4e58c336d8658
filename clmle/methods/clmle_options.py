"""Options of CLMLE: every repair has a name and a switch, and the paper's way is among them."""

from __future__ import annotations

from dataclasses import dataclass

from clmle.config import option
from clmle.errors import InputError


@dataclass(frozen=True)
class CLMLEOptions:
    """The repaired recipe. Each repair has a name and a switch; see docs/method.md."""

    cluster_size: int = option(200, "l, samples a cluster")
    min_clusters: int = option(4, "clusters of a class that has fewer than l samples for each")
    sampler: str = option(
        "all-clusters",
        "one neighborhood of clusters (as printed), or clusters of every class all over",
        ("cluster-neighborhood", "all-clusters"),
    )
    query: str = option(
        "hardest", "clusters with high cached losses are preferred, or not", ("hardest", "uniform")
    )
    hardness_power: float = option(2.0, "spread: clusters are drawn by their loss to this power")
    hard_fraction: float = option(
        0.5, "spread: the part of a class's places drawn by loss; the others go evenly over it"
    )
    class_power: float = option(0.0, "spread: classes are drawn by their size to this power")
    without_replacement: bool = option(
        True, "spread: no image of a small class is twice in a batch"
    )
    max_class_fraction: float = option(
        0.4, "distinct: the largest share of a class's images in one batch"
    )
    clusters_per_batch: int = option(12, "neighborhood: M, the query cluster and its nearest")
    samples_per_cluster: int = option(10, "neighborhood: samples of each cluster")
    same_class_clusters: int = option(6, "neighborhood: how many of the M are of one class")
    centroids: str = option(
        "local",
        "mu of Eq. 9: means of the batch; the index's; or its nearest to each sample",
        ("batch", "memory", "local"),
    )
    n_negative_clusters: int = option(6, "local: clusters of other classes around each sample")
    centroid_momentum: float = option(0.9, "of the index's centroids from step to step")
    scale: float = option(8.0, "s, in exp(s f.mu)")
    denominator: str = option("mean", "sum (as printed) or mean over clusters", ("sum", "mean"))
    normalize_centroids: bool = option(True, "centroids of unit length in loss and rule")
    between_margin: float | None = option(None, "a1; none takes a share of its bound")
    between_margin_fraction: float = option(0.125, "a1 as a share of its largest feasible value")
    within_margin: float | None = option(None, "a2; none takes a share of each class's bound")
    within_margin_fraction: float = option(0.25, "a2 as a share of its bound")
    within_weight: float = option(0.0, "weight of the within-class term of Eq. 9")
    class_weighting: bool = option(True, "weigh samples by inverse class frequency in the batch")
    margin_weight: float = option(0.05, "weight of Eq. 9 beside the softmax term")
    warmup_until: float = option(
        0.1,
        "Eq. 9 waits until balanced accuracy on validation images has come this share of the way "
        "from chance to 1",
    )
    softmax_weight: float = option(1.0, "weight of the head's own loss, on samples of all classes")
    logit_adjustment: bool = option(
        True, "spread: the head's loss is corrected for the shares in which classes came"
    )
    head: str = option(
        "linear",
        "its scores are products of features and class weights, or their cosines",
        ("linear", "cosine"),
    )
    head_scale: float = option(8.0, "cosine: what the cosines are multiplied by")
    head_loss: str = option(
        "softmax",
        "beside Eq. 9: cross-entropy, or the squared error of the scores as in MOON",
        ("softmax", "squared"),
    )
    rule: str = option(
        "per-class",
        "nearest-cluster rule at test time, or nearest training images",
        ("printed", "mean", "per-class", "k-nn"),
    )
    n_neighbors: int = option(3, "N, clusters retrieved at test time; 0 chooses on validation")
    stack_head: bool = option(True, "the head's log-odds are added, weighed on validation data")


@dataclass(frozen=True)
class CLMLEPaperOptions(CLMLEOptions):
    """The paper to the letter; what it leaves open is the same as in the repaired recipe."""

    min_clusters: int = option(1, "clusters of a class that has fewer than l samples for each")
    hard_fraction: float = option(
        1.0, "spread: the part of a class's places drawn by loss; the others go evenly over it"
    )
    max_class_fraction: float = option(
        1.0, "distinct: the largest share of a class's images in one batch"
    )
    sampler: str = option(
        "cluster-neighborhood",
        "one neighborhood of clusters (as printed), or clusters of every class all over",
        ("cluster-neighborhood", "all-clusters"),
    )
    samples_per_cluster: int = option(20, "neighborhood: samples of each cluster")
    centroids: str = option(
        "batch",
        "mu of Eq. 9: means of the batch; the index's; or its nearest to each sample",
        ("batch", "memory", "local"),
    )
    scale: float = option(1.0, "s, in exp(s f.mu); the paper has none")
    denominator: str = option("sum", "sum (as printed) or mean over clusters", ("sum", "mean"))
    normalize_centroids: bool = option(False, "centroids of unit length in loss and rule")
    between_margin_fraction: float = option(0.25, "a1 as a share of its bound")
    within_weight: float = option(1.0, "weight of the within-class term of Eq. 9")
    margin_weight: float = option(1.0, "weight of Eq. 9")
    warmup_until: float = option(
        0.0,
        "Eq. 9 waits until balanced accuracy on validation images has come this share of the way "
        "from chance to 1",
    )
    softmax_weight: float = option(0.0, "weight of a softmax on samples of all classes")
    rule: str = option(
        "printed",
        "nearest-cluster rule at test time, or nearest training images",
        ("printed", "mean", "per-class", "k-nn"),
    )
    n_neighbors: int = option(0, "N, clusters retrieved at test time; 0 chooses on validation")
    stack_head: bool = option(False, "the head's log-odds are added, weighed on validation data")


def check_options(o: CLMLEOptions, batch_size: int) -> None:
    """One sentence for the first option that no run could use."""
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
    for name in ("scale", "head_scale"):
        if getattr(o, name) <= 0:
            raise InputError(f"{name} is {getattr(o, name)}, but must be above 0.")
    for name in ("hardness_power", "margin_weight", "softmax_weight", "within_weight"):
        if getattr(o, name) < 0:
            raise InputError(f"{name} is {getattr(o, name)}, but must be 0 or more.")
    if not 0 <= o.warmup_until <= 1:
        raise InputError(f"warmup_until is {o.warmup_until}, but must be from 0 (never wait) to 1.")
    if not 0 < o.max_class_fraction <= 1:
        raise InputError(
            f"max_class_fraction is {o.max_class_fraction}, but must be above 0 and at most 1."
        )
    if not 0 <= o.hard_fraction <= 1:
        raise InputError(
            f"hard_fraction is {o.hard_fraction}, but must be from 0 (no cluster is preferred) to 1."
        )
    if not 0 <= o.class_power <= 1:
        raise InputError(f"class_power is {o.class_power}, but must be from 0 (even) to 1.")
    fits = o.clusters_per_batch * o.samples_per_cluster <= batch_size
    if o.sampler == "cluster-neighborhood" and not fits:
        raise InputError(
            f"{o.clusters_per_batch} clusters of {o.samples_per_cluster} samples do not fit into "
            f"a batch of {batch_size}; lower one of them or raise batch_size."
        )
