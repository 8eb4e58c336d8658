"""Class rectification loss: hard triplets of the minority classes of a batch (Dong 2017)."""

import torch
from torch import Tensor

from clmle.device import to_device


def minority_classes(labels: Tensor, n_classes: int, fraction: float = 0.5) -> list[int]:
    """Classes of a batch (B,), rarest first, that together hold at most ``fraction`` of it."""
    counts = torch.bincount(labels, minlength=n_classes)
    chosen, total = [], 0
    for c in counts.argsort(stable=True).tolist():
        if counts[c] == 0:
            continue
        total += int(counts[c])
        if total > fraction * len(labels):
            break
        chosen.append(c)
    return chosen


def crl_loss(
    features: Tensor,
    labels: Tensor,
    n_classes: int,
    *,
    margin: float = 0.5,
    hardest: int = 25,
    fraction: float = 0.5,
) -> Tensor:
    """Class rectification loss on hard triplets of instances (CRL-I).

    The mean of [margin + D(a, p) - D(a, n)]_+ over the triplets with a positive hinge, where D is
    the Euclidean distance. Every sample of a minority class is an anchor a; its positives p are the
    ``hardest`` farthest samples of its class, its negatives n the ``hardest`` nearest samples of
    the other classes.

    Parameters
    ----------
    features : (B, d) float tensor
        Features of unit length.
    labels : (B,) int64 tensor
    n_classes : int
        C.
    margin : float, default 0.5
        Margin between distances.
    hardest : int, default 25
        Number of positives and of negatives of each anchor.
    fraction : float, default 0.5
        The minority classes are the rarest classes that hold at most this fraction of the batch.

    Returns
    -------
    scalar tensor
        0 where the batch has no triplet.

    References
    ----------
    Q. Dong, S. Gong, X. Zhu, "Class Rectification Hard Mining for Imbalanced Deep Learning", ICCV
    2017, Eqs. 3 to 6.

    Examples
    --------
    >>> f = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    >>> round(float(crl_loss(f, torch.tensor([0, 0, 1, 1]), 2, margin=1.5)), 4)
    0.0858
    """
    distance = (2 - 2 * features @ features.T).clamp(min=1e-12).sqrt()
    losses = []
    on_host = labels.cpu()  # the only wait for a GPU
    for c in minority_classes(on_host, n_classes, fraction):
        is_mine = on_host == c
        mine, rest = (to_device(m.nonzero().squeeze(1), labels.device) for m in (is_mine, ~is_mine))
        if len(mine) < 2 or len(rest) == 0:
            continue
        own = distance[mine][:, mine]
        others = distance[mine][:, rest]
        itself = torch.eye(len(own), dtype=torch.bool, device=own.device)
        far = own.masked_fill(itself, -1.0).topk(min(hardest, len(own) - 1), dim=1).values
        near = others.topk(min(hardest, others.shape[1]), dim=1, largest=False).values
        losses.append(torch.relu(margin + far[:, :, None] - near[:, None, :]).reshape(-1))
    if not losses:
        return features.sum() * 0
    loss = torch.cat(losses)
    return loss.sum() / (loss > 0).sum().clamp(min=1)


def crl_weight(counts: Tensor, eta: float = 0.01) -> float:
    """Weight of CRL in the loss: eta times the percentage of samples missing for balance."""
    missing = (counts.max() - counts).sum() / (len(counts) * counts.max())
    return float(min(1.0, eta * 100 * float(missing)))
