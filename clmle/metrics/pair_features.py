"""Features for the comparison of faces: image and mirror image, mean over the frames of a video.

Section 5 of the paper: "features of the original image and flipped image are concatenated", then
compared by the inner product of unit vectors.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from clmle.checks import array_of, names_of, numeric
from clmle.errors import InputError


def pair_features(
    images: Any,
    extract: Callable[[np.ndarray], Any] | None = None,
    *,
    mirrored: Any = None,
    batch_size: int = 256,
) -> np.ndarray:
    """Concatenated features of images and their mirror images, at unit length.

    Parameters
    ----------
    images : array of shape (n, height, width, channels) or (n, d)
        Images, with ``extract``; else their features.
    extract : callable, optional
        Function of images (m, height, width, channels) that returns features (m, d), such as
        ``embed`` of a trained model.
    mirrored : array of shape (n, d), optional
        Features of the mirror images, instead of ``extract``.
    batch_size : int
        Images given to ``extract`` at a time.

    Returns
    -------
    array of shape (n, 2 d)

    Examples
    --------
    >>> pair_features(np.array([[3.0, 0.0]]), mirrored=np.array([[0.0, 4.0]])).round(2).tolist()
    [[0.6, 0.0, 0.0, 0.8]]
    """
    if (extract is None) == (mirrored is None):
        raise InputError(
            "Give either extract, with images, or mirrored, the features of mirror images."
        )
    array = numeric(images, "images")
    if extract is None:
        first, second = array, numeric(mirrored, "mirrored")
    else:
        if array.ndim != 4 or not len(array):
            raise InputError(
                f"images must be (n, height, width, channels), at least one, but are {array.shape}."
            )
        starts = range(0, len(array), batch_size)
        batches = [array[s : s + batch_size] for s in starts]
        first = np.concatenate([np.asarray(extract(b)) for b in batches])
        second = np.concatenate([np.asarray(extract(b[:, :, ::-1])) for b in batches])
    if first.ndim != 2 or first.shape != second.shape:
        raise InputError(
            f"Features of images and mirror images must both be (n, d), but are {first.shape} "
            f"and {second.shape}."
        )
    return unit_rows(np.concatenate([first, second], axis=1))


def pool_templates(features: Any, template: Any) -> tuple[np.ndarray, np.ndarray]:
    """One unit feature for each template, such as the frames of a video (YTF).

    Parameters
    ----------
    features : array of shape (n, d)
        Features of any length; they are normalized first.
    template : array of shape (n,)
        Name or number of the template of each row.

    Returns
    -------
    (features (t, d), names (t,))
        The normalized mean of each template; names are sorted.

    References
    ----------
    B. F. Klare et al., *Pushing the frontiers of unconstrained face detection and recognition:
    IARPA Janus Benchmark A*, CVPR 2015.

    Examples
    --------
    >>> features, names = pool_templates([[1.0, 0], [0, 1], [0, 2]], ["b", "a", "a"])
    >>> features.tolist(), names.tolist()
    ([[0.0, 1.0], [1.0, 0.0]], ['a', 'b'])
    """
    units = unit_rows(features)
    names = names_of(template, "template", len(units), "features")
    kept, index = np.unique(names, return_inverse=True)
    sums = np.zeros((len(kept), units.shape[1]))
    np.add.at(sums, index, units)
    return unit_rows(sums, "templates"), kept


def pair_similarity(features: Any, left: Any, right: Any) -> np.ndarray:
    """Cosine similarity of pairs of rows.

    Parameters
    ----------
    features : array of shape (m, d)
        Features of any length.
    left, right : integer arrays of shape (n,)
        Rows of the pairs.

    Returns
    -------
    array of shape (n,)

    Examples
    --------
    >>> pair_similarity([[2.0, 0], [0, 1], [3, 0]], [0, 0], [1, 2]).tolist()
    [0.0, 1.0]
    """
    units = unit_rows(features)
    rows = [array_of(left, "left"), array_of(right, "right")]
    if rows[0].shape != rows[1].shape or rows[0].ndim != 1:
        raise InputError(
            f"left and right must both be rows (n,), but are {rows[0].shape} and {rows[1].shape}."
        )
    for row in rows:
        if row.dtype.kind not in "iu" or (row < 0).any() or (row >= len(units)).any():
            raise InputError(f"left and right must be rows of the {len(units):,} features, from 0.")
    return np.asarray(np.einsum("nd,nd->n", units[rows[0]], units[rows[1]]))


def unit_rows(features: Any, name: str = "features") -> np.ndarray:
    """Rows (n, d) at unit length, float32 or float64; errors name rows of NaN, infinity or zero."""
    x = array_of(features, name)
    if x.ndim != 2 or 0 in x.shape or x.dtype.kind not in "fiu":
        raise InputError(
            f"The {name} must be numbers (n, d), at least one row, but are {x.shape} of {x.dtype}."
        )
    x = x if x.dtype == np.float64 else x.astype(np.float32)
    norms = np.linalg.norm(x, axis=1, keepdims=True)
    bad = np.flatnonzero(~(np.isfinite(norms[:, 0]) & (norms[:, 0] > 0)))
    if len(bad):
        kind = "a row of zeros" if norms[bad[0], 0] == 0 else "NaN or infinite"
        raise InputError(
            f"The {name} are {kind} at row {bad[0]} ({len(bad):,} such rows); remove them or "
            "check their source."
        )
    return np.asarray(x / norms)
