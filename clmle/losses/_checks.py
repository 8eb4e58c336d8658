"""Checks of the arguments of :func:`clmle.losses.clmle_loss`."""

import numpy as np
import torch
from torch import Tensor

from clmle.checks import dense, number, whole
from clmle.errors import InputError

DENOMINATORS = ("sum", "mean")
REDUCTIONS = ("mean", "sum", "none", "terms")
INTEGERS = (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8)


def check_clmle_loss(
    features: Tensor,
    clusters: Tensor | None,
    cluster_classes: Tensor,
    between_margin: float | Tensor,
    within_margin: float | Tensor,
    sample_weight: Tensor | None,
    scale: float,
    denominator: str,
    centroids: Tensor | None,
    labels: Tensor | None,
    n_negative_clusters: int | None,
    within_weight: float,
    reduction: str,
) -> None:
    """Raise an error for the first argument of :func:`clmle_loss` that cannot be used."""
    if n_negative_clusters is not None:
        whole(n_negative_clusters, "n_negative_clusters", 1)
    if (clusters is None or n_negative_clusters is not None) and centroids is None:
        raise InputError("The nearest clusters are searched among centroids; give centroids too.")
    if clusters is None and (labels is None or n_negative_clusters is None):
        raise InputError("clusters is None; give labels and n_negative_clusters too.")
    name, of_sample = ("labels", labels) if clusters is None else ("clusters", clusters)
    dense(features, "features")
    dense(of_sample, name)
    dense(cluster_classes, "cluster_classes")
    if centroids is not None:
        dense(centroids, "centroids")
    if sample_weight is not None:
        dense(sample_weight, "sample_weight")
    if features.dim() < 2 or not features.is_floating_point():
        raise InputError(f"features must be a float tensor (B, d), not {tuple(features.shape)}.")
    *tasks, n, dim = features.shape
    assert of_sample is not None
    if of_sample.shape != (*tasks, n) or of_sample.dtype not in INTEGERS:
        raise InputError(
            f"{name} must hold a whole number for each of the {n} rows of features, but has "
            f"shape {tuple(of_sample.shape)} and type {of_sample.dtype}."
        )
    if cluster_classes.shape[:-1] != tuple(tasks) or cluster_classes.dtype not in INTEGERS:
        raise InputError("cluster_classes must be (M,) whole numbers, the class of each cluster.")
    m = cluster_classes.shape[-1]
    if clusters is None:
        has_cluster = (of_sample[..., None] == cluster_classes[..., None, :]).any(dim=-1)
        if not bool(has_cluster.all()):
            missing = int(of_sample[~has_cluster][0])
            raise InputError(f"labels hold class {missing}, which has no cluster.")
    elif clusters.numel():
        first, last = int(clusters.min()), int(clusters.max())
        if not 0 <= first <= last < m:
            raise InputError(f"clusters must be from 0 to {m - 1}, but hold {first} to {last}.")
    if centroids is not None and centroids.shape != (*tasks, m, dim):
        raise InputError(f"centroids must be {(*tasks, m, dim)}, not {tuple(centroids.shape)}.")
    if sample_weight is not None and sample_weight.shape != (*tasks, n):
        raise InputError(
            f"sample_weight must hold one weight for each of the {n} rows, "
            f"but has shape {tuple(sample_weight.shape)}."
        )
    _check_between_margin(between_margin, (*tasks, n))
    _check_within_margin(within_margin, cluster_classes, len(tasks))
    number(scale, "scale", above=0)
    number(within_weight, "within_weight")
    if denominator not in DENOMINATORS:
        raise InputError(f"denominator is {denominator!r}; choose sum or mean.")
    if reduction not in REDUCTIONS:
        raise InputError(f"reduction is {reduction!r}; choose mean, sum, none or terms.")


def _check_between_margin(margin: float | Tensor, samples: tuple[int, ...]) -> None:
    if np.ndim(margin) == 0:
        number(margin, "between_margin")
        return
    dense(margin, "between_margin")
    shape = tuple(np.shape(margin))
    try:
        fits = np.broadcast_shapes(shape, samples) == samples
    except ValueError:
        fits = False
    if not fits or _is_complex(margin):
        raise InputError(
            f"between_margin must be one real number, or one for each sample {samples}, but has "
            f"shape {shape}."
        )


def _check_within_margin(
    within_margin: float | Tensor, cluster_classes: Tensor, n_leading: int
) -> None:
    if np.ndim(within_margin) > 1 + n_leading or _is_complex(within_margin):
        raise InputError(
            "within_margin must be one real number, or (C,) of them, but has shape "
            f"{tuple(np.shape(within_margin))}."
        )
    if np.ndim(within_margin) == 0:
        number(within_margin, "within_margin")
        return
    n_classes = np.shape(within_margin)[-1]
    if cluster_classes.numel() and int(cluster_classes.max()) >= n_classes:
        raise InputError(
            f"within_margin holds {n_classes} classes, but cluster_classes names class "
            f"{int(cluster_classes.max())}; give one margin for each class."
        )


def _is_complex(values: float | Tensor) -> bool:
    """Whether ``values`` are complex; numpy does not accept a tensor on a GPU."""
    if isinstance(values, Tensor):
        return values.is_complex()
    return bool(np.iscomplexobj(values))
