"""Alignment of faces: a similarity transform of five landmarks to fixed points."""

import numpy as np

from clmle.errors import InputError

# x and y of eyes, nose and corners of the mouth in a face of 112 x 96 pixels (height x width), as
# in the code of SphereFace and ArcFace. In 112 x 112 they are 8 pixels further to the right.
POINTS_112_X_96 = np.array(
    [
        [30.2946, 51.6963], [65.5318, 51.5014], [48.0252, 71.7366], [33.5493, 92.3655],
        [62.7299, 92.2041],
    ]
)  # fmt: skip
POINTS_112_X_112 = POINTS_112_X_96 + np.array([8.0, 0.0])
REFERENCES = {(112, 96): POINTS_112_X_96, (112, 112): POINTS_112_X_112}
OVERSAMPLE = 4  # upper bound on the pixels of a side that are averaged into one


def similarity_transform(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Find the rotation, scale and translation that map points closest to others."""
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
        raise InputError("All landmarks are equal; such a face cannot be aligned.")
    left, values, right = np.linalg.svd(y.T @ x)
    signs = np.array([1.0, np.sign(np.linalg.det(left) * np.linalg.det(right)) or 1.0])
    rotation = left @ np.diag(signs) @ right
    scale = (values * signs).sum() / spread
    return np.column_stack([scale * rotation, mean_y - scale * rotation @ mean_x])


def align(
    image: np.ndarray, landmarks: np.ndarray, size: tuple[int, int] = (112, 112)
) -> np.ndarray:
    """Crop a face from a photograph with its landmarks at fixed points."""
    from PIL import Image

    points = np.asarray(landmarks, dtype=np.float64).reshape(-1, 2)
    pixels = np.asarray(image)
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8 or 0 in pixels.shape:
        raise InputError(f"image must be (height, width, 3) uint8, not {pixels.shape}.")
    if len(points) != 5:
        raise InputError(f"landmarks must be five points, not {len(points)}.")
    height, width = size
    matrix = similarity_transform(points, reference_points(size))
    # If the photograph is larger than the result, several of its pixels are averaged into one.
    shrink = 1 / np.hypot(matrix[0, 0], matrix[1, 0])
    fine = int(np.clip(np.ceil(shrink - 0.1), 1, OVERSAMPLE))
    grown = matrix.copy()
    grown *= fine
    grown[:, 2] += (fine - 1) / 2  # keeps the centers of pixels
    inverse = np.linalg.inv(np.vstack([grown, [0.0, 0.0, 1.0]]))[:2]
    # Coordinates begin at the corner of a pixel in Pillow, at its center in landmarks.
    inverse[:, 2] += 0.5 - inverse[:, :2] @ [0.5, 0.5]
    warped = Image.fromarray(pixels).transform(
        (width * fine, height * fine),
        Image.Transform.AFFINE,
        tuple(inverse.ravel()),
        Image.Resampling.BICUBIC if fine == 1 else Image.Resampling.BILINEAR,
    )
    return np.asarray(warped if fine == 1 else warped.reduce(fine))


def reference_points(size: tuple[int, int]) -> np.ndarray:
    """Positions (5, 2) of the five landmarks in an aligned face of ``size`` (height, width)."""
    for (height, width), points in REFERENCES.items():
        scale = size[0] / height
        if abs(size[1] - width * scale) < 1e-9:
            # 0 is the center of the first pixel, not its edge.
            placed: np.ndarray = (points + 0.5) * scale - 0.5 if scale != 1 else points
            return placed
    raise InputError(
        f"size is {size}, but must be (112, 96), (112, 112), or a multiple or fraction of them."
    )
