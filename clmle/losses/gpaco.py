"""Parametric contrastive loss: class centers are contrasted with the samples of a batch."""

import torch
import torch.nn.functional as F


def gpaco_loss(
    features: torch.Tensor,
    labels: torch.Tensor,
    center_logits: torch.Tensor,
    alpha: float = 0.01,
    temperature: float = 0.07,
) -> torch.Tensor:
    """Supervised contrastive loss in which the center of its class is a positive of each sample.

    With the logits a_ik of an anchor i, those of its features f_i.f_k / t for the other samples k
    and ``center_logits`` for the classes, the loss is the weighted mean over its positives of::

        -log [exp(a_ip) / sum_k exp(a_ik)]

    where the center of the class has weight 1 and a sample of the class weight ``alpha``.

    Parameters
    ----------
    features : (B, d) float tensor
        Features of unit length.
    labels : (B,) int64 tensor
    center_logits : (B, C) float tensor
        Logits of the class centers, the log prior of each class included.
    alpha : float, default 0.01
        Weight of a sample, 0 or more; 0 leaves a cross-entropy over centers and samples.
    temperature : float, default 0.07
        t, above 0.

    Returns
    -------
    scalar tensor
        Mean over the batch.

    References
    ----------
    J. Cui, Z. Zhong, Z. Tian, S. Liu, B. Yu, J. Jia, "Generalized Parametric Contrastive
    Learning", TPAMI 2023; "Parametric Contrastive Learning", ICCV 2021, Eq. 4.

    Examples
    --------
    >>> centers = torch.zeros(2, 2)
    >>> loss = gpaco_loss(torch.eye(2), torch.tensor([0, 1]), centers, 0.5, 1.0)
    >>> round(float(loss), 4)  # log 3: two centers and one other sample
    1.0986
    """
    n, n_classes = center_logits.shape
    itself = torch.eye(n, dtype=torch.bool, device=features.device)
    among = (features @ features.T / temperature).masked_fill(itself, -torch.inf)
    log_p = torch.log_softmax(torch.cat([center_logits, among], dim=1), dim=1)
    same = (labels[:, None] == labels) & ~itself
    weight = torch.cat([F.one_hot(labels, n_classes).to(log_p.dtype), alpha * same], dim=1)
    log_p = log_p.masked_fill(weight == 0, 0.0)  # minus infinity times 0 is no number
    return -((weight * log_p).sum(dim=1) / weight.sum(dim=1)).mean()
