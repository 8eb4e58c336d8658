"""Faces aligned by five landmarks: a similarity transform to fixed points, and the pixels."""

from __future__ import annotations

import numpy as np

from clmle.errors import InputError

# Where eyes, nose and corners of the mouth come to lie in 112 x 96 pixels (height x width): x and
# y, as in the code of SphereFace and ArcFace; in 112 x 112 they lie 8 pixels further to the right.
POINTS_112_X_96 = np.array(
    [
        [30.2946, 51.6963],
        [65.5318, 51.5014],
        [48.0252, 71.7366],
        [33.5493, 92.3655],
        [62.7299, 92.2041],
    ]
)
POINTS_112_X_112 = POINTS_112_X_96 + np.array([8.0, 0.0])
REFERENCES = {(112, 96): POINTS_112_X_96, (112, 112): POINTS_112_X_112}
OVERSAMPLE = 4  # at most so many pixels of the photograph are averaged into one, down and across


def similarity_transform(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The rotation, uniform scale and shift that bring points nearest to others, (2, 3) float64.

    Parameters
    ----------
    source, target : (n, 2), n >= 2
        x and y of corresponding points.

    Returns
    -------
    (2, 3) matrix A: a point p goes to A @ [p_x, p_y, 1]. It has the least sum of squared distances
    of all similarity transforms without mirroring.

    Raises
    ------
    InputError
        Other shapes, numbers that are not finite, or all points in one place.

    References
    ----------
    Umeyama: Least-Squares Estimation of Transformation Parameters Between Two Point Patterns, IEEE
    TPAMI 13(4), 1991, Eqs. 39-43.

    Examples
    --------
    >>> square = np.array([[0, 0], [1, 0], [1, 1], [0, 1]])
    >>> transform = similarity_transform(square, 2 * square + [5, 0])
    >>> np.allclose(transform, [[2, 0, 5], [0, 2, 0]])
    True
    """
    x, y = np.asarray(source, dtype=np.float64), np.asarray(target, dtype=np.float64)
    if x.shape != y.shape or x.ndim != 2 or x.shape[1] != 2 or len(x) < 2:
        raise InputError(
            f"source and target must be (n, 2), n at least 2, not {x.shape} and {y.shape}."
        )
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise InputError("Landmarks must be finite numbers.")
    mean_x, mean_y = x.mean(axis=0), y.mean(axis=0)
    x, y = x - mean_x, y - mean_y
    spread = (x**2).sum()
    if spread < 1e-12:
        raise InputError("All landmarks are in one place; such a face cannot be aligned.")
    left, values, right = np.linalg.svd(y.T @ x)
    signs = np.array([1.0, np.sign(np.linalg.det(left) * np.linalg.det(right)) or 1.0])
    rotation = left @ np.diag(signs) @ right
    scale = (values * signs).sum() / spread
    return np.column_stack([scale * rotation, mean_y - scale * rotation @ mean_x])


def align(
    image: np.ndarray, landmarks: np.ndarray, size: tuple[int, int] = (112, 112)
) -> np.ndarray:
    """The face cut out of a photograph so that its landmarks lie where they should.

    Parameters
    ----------
    image : (height, width, 3) uint8
    landmarks : (5, 2) or (10,)
        x and y of left eye, right eye, nose, left and right corner of the mouth, as seen in the
        photograph.
    size : (112, 96) or (112, 112), or a multiple or fraction of one of them
        Height and width of the result; pixels outside the photograph are black.

    Returns
    -------
    (height, width, 3) uint8. Training scales pixels to (x - 127.5) / 128 itself.
    """
    from PIL import Image

    points = np.asarray(landmarks, dtype=np.float64).reshape(-1, 2)
    pixels = np.asarray(image)
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8 or 0 in pixels.shape:
        raise InputError(f"image must be (height, width, 3) uint8, not {pixels.shape}.")
    if len(points) != 5:
        raise InputError(f"landmarks must be five points, not {len(points)}.")
    height, width = size
    matrix = similarity_transform(points, reference_points(size))
    # Where the photograph is larger than the result, several of its pixels make one.
    shrink = 1 / np.hypot(matrix[0, 0], matrix[1, 0])
    fine = int(np.clip(np.ceil(shrink - 0.1), 1, OVERSAMPLE))
    grown = matrix.copy()
    grown *= fine
    grown[:, 2] += (fine - 1) / 2  # centers of pixels stay centers
    inverse = np.linalg.inv(np.vstack([grown, [0.0, 0.0, 1.0]]))[:2]
    # Pillow counts from the corner of a pixel, landmarks from its center.
    inverse[:, 2] += 0.5 - inverse[:, :2] @ [0.5, 0.5]
    warped = Image.fromarray(pixels).transform(
        (width * fine, height * fine),
        Image.Transform.AFFINE,
        tuple(inverse.ravel()),
        Image.Resampling.BICUBIC if fine == 1 else Image.Resampling.BILINEAR,
    )
    return np.asarray(warped if fine == 1 else warped.reduce(fine))


def reference_points(size: tuple[int, int]) -> np.ndarray:
    """Where the five landmarks come to lie, (5, 2), in an aligned face of ``size``."""
    for (height, width), points in REFERENCES.items():
        scale = size[0] / height
        if abs(size[1] - width * scale) < 1e-9:
            # Centers of pixels: 0 is the middle of the first pixel, not its edge.
            placed: np.ndarray = (points + 0.5) * scale - 0.5 if scale != 1 else points
            return placed
    raise InputError(
        f"size is {size}, but must be (112, 96), (112, 112), or a multiple or fraction of them."
    )
