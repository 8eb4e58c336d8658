"""Hidden modes: two classes of six modes each, under nuisance dimensions. No download."""

import numpy as np

from clmle.data.base import TEST, TRAIN, VALIDATION, Dataset
from clmle.data.registry import DatasetInfo, register_dataset

PER_MODE = {TRAIN: 2000, VALIDATION: 500, TEST: 500}


def load_hidden_modes(
    *, modes: int = 6, nuisance: int = 58, radius: float = 2.2, spread: float = 0.45, seed: int = 0
) -> Dataset:
    """Draw points (n, 6 + nuisance) of two classes, each a mixture of ``modes`` Gaussians.

    The centers are random points on a sphere of 6 dimensions, ``spread`` is the standard
    deviation of a mode there. The ``nuisance`` dimensions have unit variance and carry no label,
    and a random rotation mixes all dimensions. The target is the mode: "a0" to "a5" and "b0" to
    "b5", of which a configuration makes two classes (``merge="a=a0+...;b=b0+..."``) of any sizes
    (``counts``), so that the modes stay known as sub-populations.
    """
    rng = np.random.default_rng([seed, 64])
    centers = rng.normal(size=(2 * modes, 6))
    centers *= radius / np.linalg.norm(centers, axis=1, keepdims=True)
    rotation = np.linalg.qr(rng.normal(size=(6 + nuisance, 6 + nuisance)))[0]
    split = np.repeat([TRAIN, VALIDATION, TEST], [2 * modes * PER_MODE[s] for s in range(3)])
    labels = np.concatenate([np.repeat(np.arange(2 * modes), PER_MODE[s]) for s in range(3)])
    points = np.hstack(
        [
            centers[labels] + spread * rng.normal(size=(len(labels), 6)),
            rng.normal(size=(len(labels), nuisance)),
        ]
    )
    names = tuple(f"{c}{k}" for c in "ab" for k in range(modes))
    return Dataset(
        "hidden-modes",
        (points @ rotation).astype(np.float32),
        split.astype(np.int8),
        labels={"mode": labels},
        class_names={"mode": names},
    )


register_dataset(
    DatasetInfo(
        name="hidden-modes",
        title="Hidden modes",
        description="Points of two classes with six modes each, under 58 nuisance dimensions.",
        load=load_hidden_modes,
        targets=("mode",),
        feature_dim=lambda _: 64,
        order=3,
    )
)
