"""The options of CLMLE in four groups; each correction has a name and can be switched off."""

from dataclasses import dataclass
from functools import partial
from math import inf

from clmle.config import option, with_default

_clusters, _sampler, _loss, _classifier = (
    partial(option, group=group) for group in ("clusters", "sampler", "loss", "classifier")
)
_expert_clusters, _expert_sampler, _expert_loss, _expert_classifier = (
    partial(group, expert=True) for group in (_clusters, _sampler, _loss, _classifier)
)


@dataclass(frozen=True)
class CLMLEOptions:
    """Options of CLMLE with the corrected defaults; see docs/method.md."""

    cluster_size: int = _clusters(200, "l, samples per cluster", bounds=(1, inf))
    min_clusters: int = _clusters(
        4, "smallest number of clusters of a class, where it has that many samples", bounds=(1, inf)
    )
    centroid_momentum: float = _expert_clusters(
        0.9, "weight of the stored centroid when a batch updates it", bounds=(0, 1)
    )
    normalize_centroids: bool = _expert_clusters(
        True, "scale centroids mu to unit length in the loss and in the classifier"
    )
    sampler: str = _sampler(
        "all-clusters",
        "batches from the clusters of all classes, or from one neighborhood of clusters as in the "
        "paper",
        ("cluster-neighborhood", "all-clusters"),
    )
    hardness_power: float = _sampler(
        2.0,
        "all-clusters: a cluster is drawn in proportion to its mean loss to this power",
        bounds=(0, inf),
    )
    class_power: float = _sampler(
        0.0,
        "all-clusters: a class is drawn in proportion to its size to this power; 0 is balanced, 1 "
        "natural",
        bounds=(0, 1),
    )
    query: str = _expert_sampler(
        "hardest",
        "prefer clusters with a high mean loss, or draw them uniformly",
        ("hardest", "uniform"),
    )
    hard_fraction: float = _expert_sampler(
        0.5,
        "all-clusters: fraction of a class's samples that is drawn by loss; the rest is uniform",
        bounds=(0, 1),
    )
    without_replacement: bool = _expert_sampler(
        True, "all-clusters: no image of a small class occurs twice in a batch"
    )
    max_class_fraction: float = _expert_sampler(
        0.4,
        "without_replacement: largest fraction of a class's images in one batch",
        bounds=(0, 1),
        above=True,
    )
    clusters_per_batch: int = _expert_sampler(
        12, "cluster-neighborhood: M, the query cluster and its nearest clusters", bounds=(1, inf)
    )
    samples_per_cluster: int = _expert_sampler(
        10, "cluster-neighborhood: samples of each cluster", bounds=(1, inf)
    )
    same_class_clusters: int = _expert_sampler(
        6, "cluster-neighborhood: clusters among the M that have the query's class", bounds=(1, inf)
    )
    margin_weight: float = _loss(0.05, "weight of Eq. 9 in the loss", bounds=(0, inf))
    between_margin_fraction: float = _loss(
        0.125, "margin a1 between classes, as a fraction of its upper bound", bounds=(0, inf)
    )
    scale: float = _loss(8.0, "s in exp(s f.mu) of Eqs. 9 and 10", bounds=(0, inf), above=True)
    between_margin: float | None = _expert_loss(
        None,
        "margin a1, a difference of cosines; none takes between_margin_fraction",
        bounds=(0, 2),
    )
    within_margin: float | None = _expert_loss(
        None,
        "margin a2 within a class, a difference of cosines; none takes within_margin_fraction",
        bounds=(0, 2),
    )
    within_margin_fraction: float = _expert_loss(
        0.25, "margin a2, as a fraction of the upper bound of each class", bounds=(0, inf)
    )
    within_weight: float = _expert_loss(
        0.0, "weight of the within-class term of Eq. 9", bounds=(0, inf)
    )
    centroids: str = _expert_loss(
        "local",
        "mu of Eq. 9: means of the batch, all stored centroids, or those nearest to each sample",
        ("batch", "memory", "local"),
    )
    n_negative_clusters: int = _expert_loss(
        6, "local: clusters of other classes that each sample is compared with", bounds=(1, inf)
    )
    denominator: str = _expert_loss(
        "mean", "denominator of Eq. 9: mean over clusters, or sum as in the paper", ("sum", "mean")
    )
    class_weighting: bool = _expert_loss(
        True, "weight samples by inverse class frequency in the batch"
    )
    warmup_until: float = _expert_loss(
        0.1,
        "Eq. 9 starts when validation balanced accuracy has covered this fraction of the way from "
        "chance to 1",
        bounds=(0, 1),
    )
    stack_head: bool = _classifier(
        True, "add the head's log-odds to those of the clusters, weighted on validation data"
    )
    rule: str = _classifier(
        "per-class",
        "prediction: nearest clusters (Eq. 10 as printed, or a correction) or nearest images",
        ("printed", "mean", "per-class", "k-nn"),
    )
    n_neighbors: int = _classifier(
        3, "N, clusters retrieved at test time; 0 chooses N on validation data", bounds=(0, inf)
    )
    softmax_weight: float = _expert_classifier(
        1.0, "weight of the loss of the linear head", bounds=(0, inf)
    )
    detach_head: bool = _expert_classifier(
        False, "train the linear head on fixed features: Eq. 9 alone trains the embedding"
    )
    logit_adjustment: bool = _expert_classifier(
        True, "all-clusters: correct the head's loss for the sampled class proportions"
    )
    head: str = _expert_classifier(
        "linear",
        "logits are products of features and class weights, or their cosines",
        ("linear", "cosine"),
    )
    head_scale: float = _expert_classifier(
        8.0, "cosine: factor of the cosines", bounds=(0, inf), above=True
    )
    head_loss: str = _expert_classifier(
        "softmax",
        "loss of the head: cross-entropy, or the squared error of MOON",
        ("softmax", "squared"),
    )


@dataclass(frozen=True)
class CLMLEPaperOptions(CLMLEOptions):
    """Options of CLMLE with the defaults of the paper; what the paper leaves open is unchanged."""

    min_clusters: int = with_default(CLMLEOptions, "min_clusters", 1)
    normalize_centroids: bool = with_default(CLMLEOptions, "normalize_centroids", False)
    sampler: str = with_default(CLMLEOptions, "sampler", "cluster-neighborhood")
    hard_fraction: float = with_default(CLMLEOptions, "hard_fraction", 1.0)
    max_class_fraction: float = with_default(CLMLEOptions, "max_class_fraction", 1.0)
    samples_per_cluster: int = with_default(CLMLEOptions, "samples_per_cluster", 20)
    margin_weight: float = with_default(CLMLEOptions, "margin_weight", 1.0)
    between_margin_fraction: float = with_default(CLMLEOptions, "between_margin_fraction", 0.25)
    scale: float = with_default(CLMLEOptions, "scale", 1.0)
    within_weight: float = with_default(CLMLEOptions, "within_weight", 1.0)
    centroids: str = with_default(CLMLEOptions, "centroids", "batch")
    denominator: str = with_default(CLMLEOptions, "denominator", "sum")
    warmup_until: float = with_default(CLMLEOptions, "warmup_until", 0.0)
    stack_head: bool = with_default(CLMLEOptions, "stack_head", False)
    rule: str = with_default(CLMLEOptions, "rule", "printed")
    n_neighbors: int = with_default(CLMLEOptions, "n_neighbors", 0)
    softmax_weight: float = with_default(CLMLEOptions, "softmax_weight", 0.0)
