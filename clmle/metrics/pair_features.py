"""Features to compare faces by: the image beside its mirror image, frames of a video as one.

Section 5 of the paper: "features of the original image and flipped image are concatenated", then
compared by the inner product of unit vectors.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from clmle.checks import array_of, numeric
from clmle.errors import InputError


def pair_features(
    images: Any,
    extract: Callable[[np.ndarray], Any] | None = None,
    *,
    mirrored: Any = None,
    batch_size: int = 256,
) -> np.ndarray:
    """Unit features (n, 2 d) of images beside their mirror images.

    Parameters
    ----------
    images : (n, height, width, channels) images, with ``extract``; else their features (n, d)
    extract : callable, optional
        (m, height, width, channels) -> (m, d), such as the ``embed`` of a trained model.
    mirrored : (n, d), optional
        The features of the mirror images, in place of ``extract``.

    Raises
    ------
    InputError
        Neither or both of ``extract`` and ``mirrored``, shapes that differ, NaN, zero features.

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
            f"Features and those of the mirror images must both be (n, d), but are {first.shape} "
            f"and {second.shape}."
        )
    return unit_rows(np.concatenate([first, second], axis=1))


def pool_templates(features: Any, template: Any) -> tuple[np.ndarray, np.ndarray]:
    """One unit feature for each template, such as the frames of one video (YTF).

    Parameters
    ----------
    features : (n, d), each taken at unit length
    template : (n,) names or numbers

    Returns
    -------
    (features (t, d), names (t,)) : the direction of each template's mean, names sorted

    Raises
    ------
    InputError
        Shapes that differ, NaN, zero features, or frames that cancel out.
    """
    units, names = unit_rows(features), array_of(template, "template")
    if names.shape != (len(units),):
        raise InputError(
            f"template must name one for each of {len(units):,} features, but is {names.shape}."
        )
    if (names != names).any():
        raise InputError("template holds NaN; name the template of each row.")
    kept, index = np.unique(names, return_inverse=True)
    sums = np.zeros((len(kept), units.shape[1]))
    np.add.at(sums, index, units)
    return unit_rows(sums, "templates"), kept


def pair_similarity(features: Any, left: Any, right: Any) -> np.ndarray:
    """Cosine (n,) of the features (m, d) at rows ``left`` and ``right``, both (n,)."""
    units = unit_rows(features)
    rows = [array_of(left, "left"), array_of(right, "right")]
    if rows[0].shape != rows[1].shape or rows[0].ndim != 1:
        raise InputError(
            f"left and right must both be rows (n,), but are {rows[0].shape} and {rows[1].shape}."
        )
    for row in rows:
        if row.dtype.kind not in "iu" or (row < 0).any() or (row >= len(units)).any():
            raise InputError(f"left and right must be rows of the {len(units):,} features, from 0.")
    similarity: np.ndarray = np.einsum("nd,nd->n", units[rows[0]], units[rows[1]])
    return similarity


def unit_rows(features: Any, name: str = "features") -> np.ndarray:
    """Rows at unit length, float32 or float64; NaN, infinities and zero rows are named."""
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
            f"The {name} are {kind} at row {bad[0]} ({len(bad):,} such rows); leave them out or "
            "look at what made them."
        )
    return np.asarray(x / norms)
