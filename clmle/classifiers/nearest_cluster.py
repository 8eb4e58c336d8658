"""Nearest-cluster classification: Eq. 10 as printed, and two corrections by name.

As printed, Eq. 10 favors the majority class: the class with more of the N retrieved clusters has
the shorter sum in its denominator. "mean" replaces that sum by the mean over the clusters of the
other classes; "per-class" retrieves N clusters of every class.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from clmle.checks import number, whole
from clmle.classifiers._base import Classifier, stored_as, unit_rows
from clmle.clustering import real_tensor
from clmle.errors import InputError

RULES = ("printed", "mean", "per-class")
BLOCK = 1 << 22  # entries of one block of similarities
MANY_CLASSES = 1_000_000  # above, class numbers far beyond those of the centroids are an error
DENSE_CLASSES = 64  # up to here, one column per class is fastest


def nearest_cluster_scores(
    queries: Any,
    centroids: Any,
    centroid_classes: Any,
    n_neighbors: int,
    rule: str = "printed",
    *,
    scale: float = 1.0,
    n_classes: int | None = None,
) -> Any:
    """Return log-scores of every class for every query.

    With R the retrieved clusters (by inner product), R_c those of class c and s the scale,

        printed    min_{m in R_c} s f.mu_m - log sum_{k in R, not R_c} exp(s f.mu_k)
        mean       the same with the mean in place of the sum
        per-class  as mean, where R holds the N nearest clusters of each class

    Parameters
    ----------
    queries : (n, d) array or tensor
    centroids : (K, d) array or tensor
        Of unit length or not; the paper's are plain means.
    centroid_classes : (K,) whole numbers from 0
    n_neighbors : int
        N, clusters retrieved; all of them where there are fewer.
    rule : {"printed", "mean", "per-class"}
    scale : float
        s > 0; the paper has no scale, which is s = 1.
    n_classes : int, optional
        C; by default one more than the largest of ``centroid_classes``.

    Returns
    -------
    (n, C) array or tensor, as ``queries``
        Log-scores: -inf for a class with no retrieved cluster, +inf for the only class
        retrieved. The class with the largest score is predicted.

    References
    ----------
    Section 4 of the paper, Eq. 10.

    Examples
    --------
    >>> mu = np.eye(3)
    >>> nearest_cluster_scores(mu[:1], mu, np.array([0, 0, 1]), 1).tolist()
    [[inf, -inf]]
    """
    q, mu, classes, c_total = _checked(queries, centroids, centroid_classes, n_classes, scale)
    n = _check_rule(rule, n_neighbors, len(mu))
    scores = torch.empty(len(q), c_total, dtype=q.dtype, device=q.device)
    step = max(1, BLOCK // max(len(mu), c_total))
    for start in range(0, len(q), step):
        similarity = scale * (q[start : start + step] @ mu.T)
        kept = _retrieve(similarity, classes, n, rule, c_total)
        scores[start : start + step] = _score(similarity, kept, classes, c_total, rule)
    if bool(torch.isnan(scores).any()):
        raise InputError(
            "queries or centroids hold NaN, infinity or values whose products overflow; "
            "clean them, and divide rows by their length."
        )
    return scores if isinstance(queries, torch.Tensor) else scores.numpy()


def predictions_by_neighbors(
    queries: np.ndarray,
    centroids: np.ndarray,
    centroid_classes: np.ndarray,
    numbers: Sequence[int],
    rule: str,
    *,
    scale: float = 1.0,
    n_classes: int,
) -> np.ndarray:
    """Predicted classes (len(numbers), n) of :func:`nearest_cluster_scores` for several N.

    ``numbers`` are in ascending order. The clusters are searched once, for the largest N; the
    terms of Eq. 10 are running values over the clusters of each query, nearest first. Scores may
    therefore differ in rounding from those for a single N.
    """
    q, mu, classes, c_total = _checked(queries, centroids, centroid_classes, n_classes, scale)
    most = _check_rule(rule, numbers[-1], len(mu))
    found = torch.empty(len(numbers), len(q), dtype=torch.int64)
    step = max(1, BLOCK // max(len(mu), c_total))
    for start in range(0, len(q), step):
        similarity = scale * (q[start : start + step] @ mu.T)
        near, of_class, rank = _nearest_first(similarity, classes, most, rule, c_total)
        terms = _Terms.empty(near, c_total)
        done = 0
        for i, n in enumerate(numbers):
            new = (rank >= done) & (rank < n)
            terms.add(near[:, new], of_class[:, new])
            found[i, start : start + step] = terms.scores(rule).argmax(dim=1)
            done = n
    return found.numpy()


def nearest_cluster_terms(
    query: Any, centroids: Any, centroid_classes: Any, n_neighbors: int, rule: str = "printed"
) -> dict[str, np.ndarray]:
    """Return the terms of Eq. 10 for one query: an explanation of its prediction.

    Parameters
    ----------
    query : (d,) array or tensor
    centroids, centroid_classes, n_neighbors, rule
        As in :func:`nearest_cluster_scores`.

    Returns
    -------
    dict of arrays
        ``clusters`` (R,) retrieved, nearest first, their ``similarity`` f.mu and ``classes``, and
        the log-``scores`` (C,).

    Examples
    --------
    >>> terms = nearest_cluster_terms(np.eye(3)[0], np.eye(3), np.array([0, 0, 1]), 2)
    >>> terms["clusters"].tolist(), terms["similarity"].tolist()
    ([0, 1], [1.0, 0.0])
    """
    row = real_tensor(query, "query")[None]
    q, mu, classes, c_total = _checked(row, centroids, centroid_classes, None, 1.0)
    n = _check_rule(rule, n_neighbors, len(mu))
    similarity = q @ mu.T
    kept = torch.nonzero(_retrieve(similarity, classes, n, rule, c_total)[0]).squeeze(1)
    kept = kept[torch.argsort(similarity[0, kept], descending=True)]
    scores = nearest_cluster_scores(row, centroids, centroid_classes, n_neighbors, rule)
    return {
        "clusters": kept.cpu().numpy(),
        "similarity": similarity[0, kept].cpu().numpy(),
        "classes": classes[kept].cpu().numpy(),
        "scores": scores[0].cpu().numpy(),
    }


@stored_as("clusters")
@dataclass(eq=False)
class ClusterClassifier(Classifier):
    """Eq. 10, as printed or corrected, over the centroids of the training set.

    Parameters
    ----------
    centroids : (K, d) array
    classes : (K,) array
        The class of each centroid.
    n_neighbors, rule, scale, n_classes
        As in :func:`nearest_cluster_scores`.
    margins : mapping, optional
        Margins of the loss, stored with the classifier for reference.

    References
    ----------
    Section 4 of the paper, Eq. 10.

    Examples
    --------
    >>> classifier = ClusterClassifier(np.eye(3), np.array([0, 0, 1]), 3, "mean")
    >>> classifier.scores(np.array([[0.0, 0.0, 2.0]]), np.zeros((1, 2))).argmax(axis=1)
    array([1])
    """

    centroids: np.ndarray
    classes: np.ndarray
    n_neighbors: int
    rule: str
    scale: float = 1.0
    n_classes: int = 0
    margins: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.n_classes = self.n_classes or int(self.classes.max()) + 1

    def scores(self, features: np.ndarray, logits: np.ndarray) -> np.ndarray:
        own = self.centroids, self.classes, self.n_neighbors, self.rule
        scores: np.ndarray = nearest_cluster_scores(
            unit_rows(features, features.dtype), *own, scale=self.scale, n_classes=self.n_classes
        )
        return scores

    def chosen(self) -> dict[str, Any]:
        values = super().chosen()
        margins = values.pop("margins")
        return {**values, **margins}

    @classmethod
    def restored(cls, arrays: Mapping[str, np.ndarray], chosen: Mapping[str, Any]) -> Classifier:
        names = ("n_neighbors", "rule", "scale", "n_classes")
        margins = {name: value for name, value in chosen.items() if name not in names}
        return super().restored(arrays, {**chosen, "margins": margins})


def decide(
    similarity: np.ndarray, classes: np.ndarray, n_classes: int, rule: str = "mean"
) -> np.ndarray:
    """Return the predicted class of each query, (n,), from the clusters that a search returned.

    ``similarity`` (n, N) holds f.mu and ``classes`` (n, N) the classes of those clusters; ``rule``
    is "printed" or "mean". With many classes the N clusters are compared with one another, which
    does not depend on C.
    """
    if n_classes <= DENSE_CLASSES:
        values, index = torch.from_numpy(similarity), torch.from_numpy(classes)
        kept = torch.ones_like(index, dtype=torch.bool)
        return _score(values, kept, index, n_classes, rule).argmax(dim=1).numpy()
    top = similarity.max(axis=1, keepdims=True)
    weight = np.exp(similarity - top)
    same = classes[:, :, None] == classes[:, None, :]
    least = np.where(same, similarity[:, None, :], np.inf).min(axis=2)
    others = (~same).sum(axis=2)
    total = np.where(same, 0.0, weight[:, None, :]).sum(axis=2)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.log(total) + top
        if rule == "mean":
            spread = spread - np.log(others)
        score = np.where(others == 0, np.inf, least - spread)
    # Equal scores: the lowest class wins, as in an argmax over classes.
    tied = np.where(score == score.max(axis=1, keepdims=True), classes, n_classes)
    return np.asarray(tied.min(axis=1))


def _retrieve(
    similarity: torch.Tensor, classes: torch.Tensor, n: int, rule: str, n_classes: int
) -> torch.Tensor:
    """Which clusters are retrieved for each query, (n, K) bool."""
    kept = torch.zeros_like(similarity, dtype=torch.bool)
    if rule != "per-class":
        return kept.scatter_(1, similarity.topk(n, dim=1, sorted=False).indices, True)
    for c in range(n_classes):
        members = torch.nonzero(classes == c).squeeze(1)
        if len(members):
            near = similarity[:, members].topk(min(n, len(members)), dim=1, sorted=False).indices
            kept.scatter_(1, members[near], True)
    return kept


def _score(
    similarity: torch.Tensor,
    kept: torch.Tensor,
    classes: torch.Tensor,
    n_classes: int,
    rule: str,
) -> torch.Tensor:
    """Log-scores (n, C) from s f.mu (n, K), what was retrieved, and classes (K,) or (n, K)."""
    shape = (len(similarity), n_classes)
    index = classes.expand_as(similarity)
    least = torch.full(shape, torch.inf, dtype=similarity.dtype, device=similarity.device)
    least.scatter_reduce_(1, index, similarity.masked_fill(~kept, torch.inf), "amin")
    top = similarity.masked_fill(~kept, -torch.inf).amax(dim=1, keepdim=True)
    weight = torch.exp(similarity - top).masked_fill(~kept, 0.0)
    own = torch.zeros(shape, dtype=weight.dtype, device=weight.device)
    own.scatter_add_(1, index, weight)
    count = torch.zeros_like(own).scatter_add_(1, index, kept.to(weight.dtype))
    return _Terms(top, least, own, count).scores(rule)


@dataclass
class _Terms:
    """The terms of Eq. 10 of n queries, over the clusters retrieved so far."""

    top: torch.Tensor  # largest s f.mu of all clusters, (n, 1)
    least: torch.Tensor  # smallest s f.mu of the clusters of each class, (n, C)
    own: torch.Tensor  # sum over the clusters of each class of exp(s f.mu - top), (n, C)
    count: torch.Tensor  # clusters of each class, (n, C)

    @classmethod
    def empty(cls, near: torch.Tensor, n_classes: int) -> _Terms:
        """No cluster retrieved yet; ``near`` (n, L) are s f.mu of those that will be."""
        zero = near.new_zeros(len(near), n_classes)
        return cls(near.amax(dim=1, keepdim=True), zero + torch.inf, zero.clone(), zero.clone())

    def add(self, near: torch.Tensor, classes: torch.Tensor) -> None:
        """Retrieve more clusters: s f.mu (n, L) and classes (n, L)."""
        self.least.scatter_reduce_(1, classes, near, "amin")
        self.own.scatter_add_(1, classes, torch.exp(near - self.top))
        self.count.scatter_add_(1, classes, torch.ones_like(near))

    def scores(self, rule: str) -> torch.Tensor:
        """Log-scores (n, C)."""
        # Sums over the other classes are taken directly, not as total minus own: that would cancel.
        number = self.count.sum(dim=1, keepdim=True) - self.count
        spread = _sum_of_others(self.own).log() + self.top
        if rule != "printed":
            spread = spread - number.log()
        score = self.least - spread
        score = score.masked_fill(self.count == 0, -torch.inf)
        return score.masked_fill((self.count > 0) & (number == 0), torch.inf)


def _nearest_first(
    similarity: torch.Tensor, classes: torch.Tensor, n: int, rule: str, n_classes: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Similarities and classes (queries, L) of the clusters retrieved for N = ``n``.

    With them the rank (L,): a smaller N retrieves the clusters of rank below N.
    """
    if rule != "per-class":
        near, index = similarity.topk(n, dim=1)
        return near, classes[index], torch.arange(n, device=near.device)
    found = []
    for c in range(n_classes):
        members = torch.nonzero(classes == c).squeeze(1)
        near = similarity[:, members].topk(min(n, len(members)), dim=1).values
        rank = torch.arange(near.shape[1], device=near.device)
        found.append((near, torch.full_like(near, c, dtype=torch.int64), rank))
    near, of_class, rank = (torch.cat(parts, dim=-1) for parts in zip(*found, strict=True))
    return near, of_class, rank


def _sum_of_others(values: torch.Tensor) -> torch.Tensor:
    """Sum over all other columns of every row, by running sums from both sides."""
    zero = torch.zeros_like(values[:, :1])
    before = torch.cat([zero, values[:, :-1]], dim=1).cumsum(dim=1)
    after = torch.cat([values[:, 1:], zero], dim=1).flip(1).cumsum(dim=1).flip(1)
    return before + after


def _check_rule(rule: str, n_neighbors: int, n_clusters: int) -> int:
    if rule not in RULES:
        raise InputError(f"rule is {rule!r}; choose one of: {', '.join(RULES)}.")
    return min(whole(n_neighbors, "n_neighbors", 1), n_clusters)


def _checked(
    queries: Any, centroids: Any, classes: Any, n_classes: int | None, scale: float
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, int]:
    q = real_tensor(queries, "queries")
    if q.dtype not in (torch.float32, torch.float64):
        q = q.float()
    mu = real_tensor(centroids, "centroids").to(q.device, q.dtype)
    c = real_tensor(classes, "centroid_classes").to(q.device)
    if q.dim() != 2 or mu.dim() != 2 or q.shape[1] != mu.shape[1]:
        raise InputError(
            f"queries (n, d) and centroids (K, d) must have the same d, "
            f"but are {tuple(q.shape)} and {tuple(mu.shape)}."
        )
    if len(mu) == 0 or c.shape != (len(mu),) or c.is_floating_point() or int(c.min()) < 0:
        raise InputError(
            f"centroid_classes must name the class, from 0, of each of the {len(mu)} centroids; "
            "at least one is needed."
        )
    total = int(c.max()) + 1 if n_classes is None else whole(n_classes, "n_classes")
    if total <= int(c.max()):
        raise InputError(f"n_classes is {total}, but a centroid is of class {int(c.max())}.")
    if total > max(MANY_CLASSES, 100 * len(mu)):
        raise InputError(
            f"Classes are numbered up to {total - 1:,}, but there are only {len(mu):,} centroids; "
            "number them from 0 without gaps."
        )
    number(scale, "scale", above=0)
    return q, mu, c.long(), total
