"""LDAM: margins that grow as a class gets rarer (Cao 2019)."""

import torch.nn.functional as F
from torch import Tensor


def ldam_margins(counts: Tensor, largest: float = 0.5) -> Tensor:
    """Margins (C,) proportional to n_c^(-1/4), that of the rarest class ``largest``."""
    margins = counts.double().pow(-0.25)
    return largest * margins / margins.max()


def ldam_loss(
    cosine: Tensor,
    labels: Tensor,
    margins: Tensor,
    scale: float = 30.0,
    weight: Tensor | None = None,
) -> Tensor:
    """Label-distribution-aware margin loss: cross-entropy of scale (cos - margin_y).

    The margin is subtracted at the true class only.

    Parameters
    ----------
    cosine : (B, C) float tensor
        Cosines of features and class weights.
    labels : (B,) int64 tensor
    margins : (C,) float tensor
        Margin of each class; see :func:`ldam_margins`.
    scale : float, default 30.0
        Factor of the cosines, above 0.
    weight : (C,) float tensor, optional
        Weight of each class.

    Returns
    -------
    scalar tensor

    References
    ----------
    K. Cao, C. Wei, A. Gaidon, N. Arechiga, T. Ma, "Learning Imbalanced Datasets with
    Label-Distribution-Aware Margin Loss", NeurIPS 2019, Eq. 13.

    Examples
    --------
    >>> import torch
    >>> margins = ldam_margins(torch.tensor([16.0, 1.0]))
    >>> margins.tolist()
    [0.25, 0.5]
    >>> round(float(ldam_loss(torch.eye(2), torch.tensor([0, 1]), margins, scale=1.0)), 4)
    0.4305
    """
    cut = F.one_hot(labels, cosine.shape[1]) * margins.to(cosine)[labels][:, None]
    return F.cross_entropy(scale * (cosine - cut), labels, weight=weight)
