"""Range loss: narrow the widest pairs of a class, separate the nearest classes (Zhang 2017)."""

import torch
from torch import Tensor

from clmle.device import to_device


def range_loss(
    features: Tensor,
    labels: Tensor,
    *,
    k: int = 2,
    margin: float = 1.0,
    intra_weight: float = 1.0,
    inter_weight: float = 1.0,
) -> Tensor:
    """Range loss: the widest pairs of each class, and the two nearest class centers.

    intra_weight sum_c H_c + inter_weight [margin - |c1 - c2|^2]_+, where H_c is the harmonic mean
    of the ``k`` largest squared distances in class c, and c1, c2 are the two nearest class centers
    of the batch. A class with one sample has no H_c.

    Parameters
    ----------
    features : (B, d) float tensor
    labels : (B,) int64 tensor
    k : int, default 2
        Number of pairs of each class.
    margin : float, default 1.0
        Margin between class centers, a squared distance. The paper's 2e4 is for features of
        unbounded length.
    intra_weight, inter_weight : float, default 1.0
        Weights of the two terms.

    Returns
    -------
    scalar tensor

    References
    ----------
    X. Zhang, Z. Fang, Y. Wen, Z. Li, Y. Qiao, "Range Loss for Deep Face Recognition with
    Long-Tailed Training Data", ICCV 2017, Eqs. 3 to 7.

    Examples
    --------
    >>> f = torch.tensor([[0.0], [2.0], [2.0]])
    >>> float(range_loss(f, torch.tensor([0, 0, 1]), k=1))
    4.0
    """
    total = features.sum() * 0
    centers = []
    on_host = labels.cpu()  # the only wait for a GPU
    for c in on_host.unique():
        members = features[to_device((on_host == c).nonzero().squeeze(1), labels.device)]
        centers.append(members.mean(dim=0))
        if len(members) < 2:
            continue
        first, second = _pairs(len(members), features.device)
        squared = (members[first] - members[second]).square().sum(dim=1)
        widest = squared.topk(min(k, len(squared))).values
        total = total + intra_weight * len(widest) / (1 / widest.clamp(min=1e-12)).sum()
    if len(centers) > 1:
        stacked = torch.stack(centers)
        first, second = _pairs(len(centers), features.device)
        nearest = (stacked[first] - stacked[second]).square().sum(dim=1).min()
        total = total + inter_weight * torch.relu(margin - nearest)
    return total


def _pairs(n: int, device: torch.device) -> Tensor:
    """All pairs i < j of n rows, (2, n (n - 1) / 2)."""
    return torch.triu_indices(n, n, 1, device=device)
