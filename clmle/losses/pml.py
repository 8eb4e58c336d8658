"""Eq. 9 as a loss function of pytorch-metric-learning."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from clmle.cluster_index import ClusterIndex
from clmle.errors import InputError
from clmle.losses.clmle import clmle_loss

try:
    from pytorch_metric_learning.distances import CosineSimilarity
    from pytorch_metric_learning.losses import BaseMetricLossFunction
except ImportError as error:
    raise InputError(
        "ClusterMarginLoss needs pytorch-metric-learning; run: pip install pytorch-metric-learning"
    ) from error


class ClusterMarginLoss(BaseMetricLossFunction):  # type: ignore[misc]  # it has no types
    """:func:`clmle.clmle_loss` with the interface of pytorch-metric-learning.

    The library passes embeddings (B, d) of any length and class labels (B,). The cluster of a
    sample comes from one of three sources:

    - ``index``: the nearest centroid of the sample's class in a
      :class:`clmle.cluster_index.ClusterIndex`. The mu of Eq. 9 are the means of the batch's
      samples of each cluster, with gradient. Call ``index.refresh`` between epochs.
    - ``ref_emb`` and ``ref_labels`` of a call: the nearest of these rows of the sample's class. The
      rows, scaled to unit length, are the mu.
    - neither: every class of the batch is one cluster.

    Reducers, embedding regularizers and ``CosineSimilarity`` as the distance are supported; miners
    are not (the loss compares samples with clusters), nor other distances (margins are differences
    of cosines).

    Parameters
    ----------
    index : ClusterIndex, optional
        Clusters of the training set.
    between_margin, within_margin, scale, denominator, within_weight
        As in :func:`clmle.clmle_loss`, with the corrected defaults.
    normalize_centroids : bool, default True
        Scale the means of the batch to unit length; the paper does not.
    **kwargs
        ``distance``, ``reducer``, ``embedding_regularizer`` and other arguments of the library's
        losses.

    References
    ----------
    K. Musgrave, S. Belongie, S.-N. Lim, "PyTorch Metric Learning", arXiv 2008.09164. Eq. 9 of the
    CLMLE paper.

    Examples
    --------
    >>> loss = ClusterMarginLoss(0.5, 0.1)
    >>> loss(torch.randn(8, 3), torch.tensor([0, 0, 0, 0, 1, 1, 2, 2])).shape
    torch.Size([])
    """

    def __init__(
        self,
        between_margin: float = 0.5,
        within_margin: float | Tensor = 0.1,
        *,
        index: ClusterIndex | None = None,
        scale: float = 8.0,
        denominator: str = "mean",
        within_weight: float = 1.0,
        normalize_centroids: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not isinstance(self.distance, CosineSimilarity):
            raise InputError(
                f"distance is {type(self.distance).__name__}, but the margins are differences of "
                "cosines; leave it out or give CosineSimilarity()."
            )
        self.between_margin = between_margin
        self.register_buffer("within_margin", torch.as_tensor(within_margin))
        self.index = index
        self.options: dict[str, Any] = {
            "scale": scale,
            "denominator": denominator,
            "within_weight": within_weight,
        }
        self.normalize_centroids = normalize_centroids

    def get_default_distance(self) -> CosineSimilarity:
        """Return cosine similarity, the distance of Eq. 9."""
        return CosineSimilarity()

    def compute_loss(
        self,
        embeddings: Tensor,
        labels: Tensor,
        indices_tuple: Any,
        ref_emb: Tensor,
        ref_labels: Tensor,
    ) -> dict[str, dict[str, Any]]:
        """The loss of every sample, (B,), for the reducer."""
        if indices_tuple is not None:
            raise InputError(
                "ClusterMarginLoss compares samples with clusters, not pairs; leave the miner "
                "(indices_tuple) out."
            )
        if labels is None or ref_labels is None:
            raise InputError("ClusterMarginLoss needs the class of every row; give labels too.")
        unit = self.distance.maybe_normalize(embeddings)
        centroids = None
        if ref_emb is not embeddings:
            centroids = F.normalize(ref_emb.to(unit), dim=1)
            slots, classes = _nearest_of_class(unit, labels, centroids, ref_labels), ref_labels
        else:
            slots, classes = self._clusters(unit, labels)
            if self.normalize_centroids:
                members = F.one_hot(slots, len(classes)).to(unit.dtype)
                centroids = F.normalize(members.T @ unit, dim=1)
        margins = self.between_margin, self.within_margin
        losses = clmle_loss(
            unit, slots, classes, *margins, centroids=centroids, reduction="none", **self.options
        )
        each = torch.arange(len(unit), device=unit.device)
        return {"loss": {"losses": losses, "indices": each, "reduction_type": "element"}}

    def _clusters(self, unit: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Slot of every sample's cluster in the batch, (B,), and the slots' classes, (M,)."""
        if self.index is None:
            classes, slots = labels.unique(return_inverse=True)
            return slots, classes
        centroids = torch.from_numpy(self.index.centroids).to(unit)
        classes = torch.from_numpy(self.index.classes).to(labels.device)
        nearest = _nearest_of_class(unit, labels, centroids, classes)
        clusters, slots = nearest.unique(return_inverse=True)
        return slots, classes[clusters]


def _nearest_of_class(unit: Tensor, labels: Tensor, centroids: Tensor, classes: Tensor) -> Tensor:
    """Row of ``centroids`` (K, d) nearest to every sample among those of its class, (B,)."""
    own = labels[:, None] == classes
    lost = ~own.any(dim=1)
    if bool(lost.any()):
        raise InputError(f"Class {int(labels[lost][0])} of the batch has no cluster.")
    with torch.no_grad():
        similarity = (unit @ centroids.T).masked_fill(~own, -torch.inf)
        return similarity.argmax(dim=1)
