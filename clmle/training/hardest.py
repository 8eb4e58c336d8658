"""The validation images with the largest loss of a round."""

import numpy as np

from clmle.classifiers._base import log_softmax

COUNT = 16
BOUND = 50.0  # replaces infinite scores


def hardest_rows(
    rows: np.ndarray, scores: np.ndarray, labels: np.ndarray, count: int = COUNT
) -> list[int]:
    """Return the rows with the largest cross-entropy of their scores, the largest first.

    ``scores`` are (n, C) with ``labels`` (n,), or (n, A, 2) with (n, A), -1 where an attribute is
    unknown: then the losses of the attributes are added.
    """
    values = np.nan_to_num(np.asarray(scores, np.float64), posinf=BOUND, neginf=-BOUND)
    log_p = log_softmax(values.reshape(-1, values.shape[-1])).reshape(values.shape)
    own = np.take_along_axis(log_p, labels.clip(0)[..., None], axis=-1)[..., 0]
    loss = np.where(labels >= 0, -own, 0.0)
    if loss.ndim == 2:
        loss = loss.sum(axis=1)
    order = np.argsort(-loss, kind="stable")[:count]
    return [int(row) for row in rows[order]]
