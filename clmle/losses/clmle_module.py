"""Eq. 9 as a module that keeps the clusters of the training set itself."""

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from clmle.batch_index import BatchIndex
from clmle.checks import array_of, number, seed_number, whole
from clmle.cluster_index import ClusterIndex
from clmle.device import to_device, to_host
from clmle.errors import InputError
from clmle.losses.class_weights import inverse_frequency_weights
from clmle.losses.clmle import clmle_loss
from clmle.margins import margin_bounds

# Fractions of the upper bounds; those of the method "clmle".
BETWEEN_FRACTION, WITHIN_FRACTION = 0.125, 0.25
REDUCTIONS = ("mean", "none")


class CLMLELoss(nn.Module):
    """Cluster-based large margin loss with clusters that follow the training.

    ``loss(embeddings, labels, indices)`` is all that a training loop calls. Each sample is compared
    with the nearest stored centroid of its class and the nearest ones of other classes. In training
    mode a batch with ``indices`` also updates the clusters: its features are kept, the centroids
    move towards them, and after every ``refresh_every`` samples each class is clustered again.
    Until then (the first epoch, by default) every class of a batch is one cluster.

    Add it to the loss of a classifier, with a weight of about 0.05: Eq. 9 separates what lies near
    each other and needs features that tell most classes apart. ``index`` is what
    :class:`clmle.ClusterBatchSampler` and :class:`clmle.HardClusterSampler` draw from. The state of
    the clusters is part of ``state_dict``. Under ``torch.distributed`` all processes exchange their
    batches, and their clusters stay equal.

    Parameters
    ----------
    labels : (n,) or (n, A) integer array
        Classes of the training set from 0, to which ``indices`` refer. For several labels of each
        sample one column each, -1 where a label is unknown; each label has its own clusters.
    dim : int
        d, dimension of the embeddings.
    cluster_size, min_clusters : int
        Samples in a cluster, and the smallest number of clusters of a class.
    between_margin : float, optional
        a1, a difference of cosines; by default 1/8 of its bound (:func:`clmle.margin_bounds`).
    within_margin : float, optional
        a2, a difference of cosines; by default 1/4 of the bound of each class.
    within_weight : float
        Weight of the margin between clusters of one class.
    scale : float
        s of Eq. 9.
    n_negative_clusters : int
        Clusters of other classes that each sample is compared with.
    denominator : {"mean", "sum"}
        Mean over the other clusters, or their sum as in the paper.
    class_weighting : bool
        Weight samples by the inverse frequency of their class in the batch.
    centroid_momentum : float
        Weight of a stored centroid when a batch moves it, from 0 to 1.
    refresh_every : int, optional
        Samples between two clusterings; by default n, one epoch.
    reduction : {"mean", "none"}
        The mean over the samples with a known label, then over labels; or the value of each sample,
        (B,) or (B, A).
    seed : int
        Seed of the clusterings.

    References
    ----------
    The CLMLE paper, Eq. 9 and sections 3.2 and 3.3.

    Examples
    --------
    >>> labels = np.repeat([0, 1], [90, 10])
    >>> inputs = torch.randn(100, 5)
    >>> network, loss = torch.nn.Linear(5, 3), CLMLELoss(labels, dim=3, cluster_size=20)
    >>> indices = torch.arange(8) * 12
    >>> value = loss(network(inputs[indices]), torch.from_numpy(labels)[indices], indices)
    >>> value.backward()
    >>> loss.index.n_clusters
    8
    """

    def __init__(
        self,
        labels: Any,
        dim: int,
        *,
        cluster_size: int = 200,
        min_clusters: int = 4,
        between_margin: float | None = None,
        within_margin: float | None = None,
        within_weight: float = 0.0,
        scale: float = 8.0,
        n_negative_clusters: int = 6,
        denominator: str = "mean",
        class_weighting: bool = True,
        centroid_momentum: float = 0.9,
        refresh_every: int | None = None,
        reduction: str = "mean",
        seed: int = 0,
    ) -> None:
        super().__init__()
        values = array_of(labels, "labels")
        if values.ndim not in (1, 2) or not values.size or values.dtype.kind not in "iub":
            raise InputError(
                "labels must be whole numbers (n,) or (n, A), the classes of the training set, but "
                f"are {values.shape} of {values.dtype}."
            )
        self.is_single = values.ndim == 1
        self._labels = values.astype(np.int64).reshape(len(values), -1)
        lost = (self._labels < 0).all(axis=0)
        if lost.any() or (self.is_single and (self._labels < 0).any()):
            raise InputError(
                "labels below 0 are unknown, which a class (n,) must not be, nor all of a column; "
                "leave such samples or columns out."
            )
        if not 0 <= number(centroid_momentum, "centroid_momentum") <= 1:
            raise InputError(f"centroid_momentum is {centroid_momentum}, but must be from 0 to 1.")
        if reduction not in REDUCTIONS:
            raise InputError(f"reduction is {reduction!r}; choose mean or none.")
        self.reduction, self.class_weighting = reduction, class_weighting
        every = len(values) if refresh_every is None else whole(refresh_every, "refresh_every", 1)
        self.clusters = BatchIndex(
            self._labels, whole(dim, "dim", 1), cluster_size, min_clusters, centroid_momentum,
            every, seed_number(seed),
        )  # fmt: skip
        self.options: dict[str, Any] = {
            "scale": scale, "denominator": denominator, "within_weight": within_weight,
        }  # fmt: skip
        self.n_negative_clusters = n_negative_clusters
        self.margins = [
            _margins(index.counts, dim, between_margin, within_margin) for index in self.indexes
        ]

    @property
    def indexes(self) -> list[ClusterIndex]:
        """The clusters of each label, over the samples where it is known."""
        return self.clusters.indexes

    @property
    def index(self) -> ClusterIndex:
        """The clusters of the training set, for samplers and classifiers."""
        if not self.is_single:
            raise InputError("There is one index for each label; choose one of loss.indexes.")
        return self.indexes[0]

    def forward(
        self, embeddings: Tensor, labels: Tensor | None = None, indices: Tensor | None = None
    ) -> Tensor:
        """Loss of a batch.

        Parameters
        ----------
        embeddings : (B, d) or (B, A, d) tensor
            Embeddings of any length; one for all labels, or one for each.
        labels : (B,) or (B, A) integer tensor, optional
            Classes of the batch; by default those of ``indices``.
        indices : (B,) integer tensor, optional
            Positions of the samples in the training set. Without them nothing is updated, as for
            validation data.

        Returns
        -------
        scalar, (B,) or (B, A) tensor

        Raises
        ------
        InputError
            If shapes do not match, or ``labels`` are not those of the training set at ``indices``.
        """
        samples = None if indices is None else self._samples(indices, len(embeddings))
        classes = self._classes(labels, samples, len(embeddings)).to(embeddings.device)
        many = embeddings.dim() == 3 and not self.is_single
        shape = (classes.shape[1], self.clusters.dim) if many else (self.clusters.dim,)
        if embeddings.shape[1:] != shape or not embeddings.is_floating_point():
            raise InputError(
                f"embeddings must be float of shape (B, {', '.join(map(str, shape))}), but are "
                f"{tuple(embeddings.shape)} of {embeddings.dtype}."
            )
        with torch.autocast(embeddings.device.type, enabled=False):
            unit = F.normalize(embeddings.float(), dim=-1)
            each = [
                self._losses(a, unit[:, a] if many else unit, classes[:, a])
                for a in range(classes.shape[1])
            ]
        losses = torch.stack(each, dim=1)
        if self.training and samples is not None:
            units, seen = to_host(unit.detach(), losses.detach())
            self.clusters.device = embeddings.device
            self.clusters.update(samples, units, seen.astype(np.float64))
        if self.reduction == "none":
            return losses[:, 0] if self.is_single else losses
        known = classes >= 0
        of_label = losses.sum(dim=0) / known.sum(dim=0).clamp(min=1)
        return of_label.sum() / known.any(dim=0).sum().clamp(min=1)

    def refresh(self, embeddings: Any = None) -> None:
        """Cluster every class again now.

        Parameters
        ----------
        embeddings : (n, d) or (n, A, d) tensor or array, optional
            Embeddings of the whole training set in order; by default those that batches had.
        """
        if embeddings is None:
            self.clusters.refresh()
            return
        given = torch.as_tensor(embeddings).detach()
        rows = given.float().cpu()
        if len(rows) != len(self._labels) or rows.shape[-1] != self.clusters.dim:
            raise InputError(
                f"embeddings must be those of all {len(self._labels):,} training samples, "
                f"(n, {self.clusters.dim}), but are {tuple(rows.shape)}."
            )
        self.clusters.device = given.device
        self.clusters.refresh(F.normalize(rows, dim=-1).numpy())

    def get_extra_state(self) -> Tensor:
        """The state of the clusters as bytes, for ``state_dict``."""
        from safetensors.numpy import save

        return torch.frombuffer(bytearray(save(self.clusters.state())), dtype=torch.uint8)

    def set_extra_state(self, state: Tensor) -> None:
        """Continue from the state of the clusters in a ``state_dict``."""
        from safetensors.numpy import load

        self.clusters.load_state(load(state.cpu().numpy().tobytes()))

    def _samples(self, indices: Tensor, n: int) -> np.ndarray:
        """The positions of a batch in the training set, checked."""
        samples = np.asarray(torch.as_tensor(indices).cpu())
        size = len(self._labels)
        if samples.shape != (n,) or samples.dtype.kind not in "iu":
            raise InputError(
                f"indices must be the positions of the {n} samples in the training set, but are "
                f"{samples.shape} of {samples.dtype}."
            )
        if n and not 0 <= samples.min() <= samples.max() < size:
            raise InputError(
                f"indices must be from 0 to {size - 1}, positions in the training set, but hold "
                f"{samples.min()} to {samples.max()}."
            )
        return samples.astype(np.int64)

    def _classes(self, labels: Tensor | None, samples: np.ndarray | None, n: int) -> Tensor:
        """Classes of a batch, (B, A); those of the training set must agree."""
        if labels is None and samples is None:
            raise InputError("labels are None; give the classes of the batch, or its indices.")
        own = None if samples is None else torch.from_numpy(self._labels[samples])
        if labels is None:
            assert own is not None
            return own
        shape = (n,) if self.is_single else (n, self._labels.shape[1])
        if labels.shape != shape or labels.is_floating_point() or labels.is_complex():
            raise InputError(
                f"labels must be whole numbers {shape}, the classes of the batch, but are "
                f"{tuple(labels.shape)} of {labels.dtype}."
            )
        given = labels.reshape(n, -1).long()
        if own is not None and not torch.equal(given.cpu().clamp(min=-1), own.clamp(min=-1)):
            raise InputError(
                "labels of the batch differ from those of the training set at indices; indices "
                "must be positions in the labels that the loss was made with."
            )
        return given

    def _losses(self, a: int, unit: Tensor, labels: Tensor) -> Tensor:
        """Loss of each sample for label ``a``, (B,); 0 where the label is unknown."""
        index, (between, within) = self.indexes[a], self.margins[a]
        known = labels >= 0
        own, classes = unit[known], labels[known]
        each = unit.sum(dim=1) * 0.0  # a zero with a gradient, for batches without any label
        if len(own):
            if self.clusters.started:
                # The centroids move before the backward pass, which needs only the nearest ones:
                # clmle_loss copies those.
                centroids = to_device(index.centroids, unit.device)
                losses = clmle_loss(
                    own, None, to_device(index.classes, unit.device), between, within,
                    centroids=centroids, labels=classes, reduction="none",
                    n_negative_clusters=self.n_negative_clusters, **self.options,
                )  # fmt: skip
            else:
                present, slots = classes.unique(return_inverse=True)
                losses = clmle_loss(
                    own, slots, present, between, within, reduction="none", **self.options
                )
            if self.class_weighting:
                losses = losses * inverse_frequency_weights(classes)
            each = each.index_put((known,), losses)
        return each


def _margins(
    counts: np.ndarray, dim: int, between: float | None, within: float | None
) -> tuple[float, float | Tensor]:
    """a1 and a2 as given, or fractions of their upper bounds."""
    bounds = margin_bounds(counts, dim)
    a1 = BETWEEN_FRACTION * bounds.between_sphere if between is None else between
    if within is None:
        return number(a1, "between_margin"), torch.as_tensor(
            WITHIN_FRACTION * bounds.within_arc, dtype=torch.float32
        )
    return number(a1, "between_margin"), number(within, "within_margin")
