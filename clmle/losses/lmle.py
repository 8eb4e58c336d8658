"""LMLE: three hinges on the ordered distances of quintuplets (Eqs. 4 and 5, Huang 2016)."""

import torch
from torch import Tensor


def lmle_loss(
    features: Tensor,
    clusters: Tensor,
    labels: Tensor,
    margins: tuple[float, float, float] = (0.1, 0.1, 0.1),
    sample_weight: Tensor | None = None,
) -> Tensor:
    """Triple-header hinge loss over quintuplets (Eqs. 4 and 5).

    With D the squared Euclidean distance, an anchor's distances are to be ordered as::

        D(farthest of its cluster) + g1 < D(nearest of its class in another cluster)
        D(nearest of its class in another cluster) + g2 < D(farthest of its class)
        D(farthest of its class) + g3 < D(nearest of another class)

    The loss of an anchor is the sum of the three hinges. Anchors without all four partners in the
    batch are left out.

    Parameters
    ----------
    features : (B, d) float tensor
        Features of unit length.
    clusters : (B,) int64 tensor
        Cluster of each sample, numbered over all classes.
    labels : (B,) int64 tensor
    margins : (float, float, float), default (0.1, 0.1, 0.1)
        g1, g2 and g3, differences of squared distances.
    sample_weight : (B,) float tensor, optional

    Returns
    -------
    scalar tensor
        Mean over the anchors; 0 where there is none.

    References
    ----------
    C. Huang, Y. Li, C. C. Loy, X. Tang, "Learning Deep Representation for Imbalanced
    Classification", CVPR 2016; Eqs. 4 and 5 of the CLMLE paper.

    Examples
    --------
    >>> f = torch.tensor([[1.0, 0.0], [0.8, 0.6], [0.6, 0.8], [-1.0, 0.0]])
    >>> clusters, labels = torch.tensor([0, 0, 1, 2]), torch.tensor([0, 0, 0, 1])
    >>> round(float(lmle_loss(f, clusters, labels)), 2)
    0.31
    """
    distance = (2 - 2 * features @ features.T).clamp(min=0)
    one_cluster = clusters[:, None] == clusters
    one_class = labels[:, None] == labels
    itself = torch.eye(len(features), dtype=torch.bool, device=features.device)
    groups = (one_cluster & ~itself, one_class & ~one_cluster, ~one_class)
    complete = torch.stack([g.any(dim=1) for g in groups]).all(dim=0).nonzero().squeeze(1)
    if len(complete) == 0:
        return features.sum() * 0
    far_cluster = distance.masked_fill(~groups[0], -1).amax(dim=1)
    near_class = distance.masked_fill(~groups[1], 5).amin(dim=1)
    far_class = distance.masked_fill(~groups[1], -1).amax(dim=1)
    near_other = distance.masked_fill(~groups[2], 5).amin(dim=1)
    loss = (
        torch.relu(margins[0] + far_cluster - near_class)
        + torch.relu(margins[1] + near_class - far_class)
        + torch.relu(margins[2] + far_class - near_other)
    )
    if sample_weight is not None:
        loss = loss * sample_weight
    return loss[complete].mean()
