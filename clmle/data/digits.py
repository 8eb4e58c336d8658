"""scikit-learn's handwritten digits, made long-tailed: lessons and tests that take seconds."""

from __future__ import annotations

import numpy as np

from clmle.data.base import TEST, TRAIN, VALIDATION, Dataset
from clmle.data.imbalance import imbalance
from clmle.data.registry import DatasetInfo, register_dataset


def load_digits(
    ratio: float = 20.0, *, kind: str = "exponential", image_size: int = 16, seed: int = 0
) -> Dataset:
    """1,797 digits of 8 x 8, enlarged to ``image_size``; training classes thinned.

    Half train, a sixth validate, a third test, each class alike; then the training rows are
    thinned so that 0 is the largest and 9 the smallest class, by ``ratio``. Thinned rows
    are left out of the data set. Source: scikit-learn, from UCI ML (Alpaydin and Kaynak).
    """
    from sklearn.datasets import load_digits as sklearn_digits

    bunch = sklearn_digits()
    labels = bunch.target.astype(np.int64)
    pixels = (bunch.images / 16 * 255).round().astype(np.uint8)
    place = (np.arange(image_size) * 8) // image_size
    images = np.ascontiguousarray(pixels[:, place][:, :, place][..., None])
    split = np.empty(len(labels), dtype=np.int8)
    for c in range(10):
        members = np.random.default_rng([seed, c]).permutation(np.flatnonzero(labels == c))
        cuts = [len(members) // 2, len(members) * 2 // 3]
        for part, value in zip(np.split(members, cuts), (TRAIN, VALIDATION, TEST), strict=True):
            split[part] = value
    names = tuple(map(str, range(10)))
    whole = Dataset("digits", images, split, labels={"label": labels}, class_names={"label": names})
    if ratio == 1:
        return whole
    task = imbalance(whole.task("label"), kind, ratio, order=range(10), seed=seed)
    kept = np.sort(np.concatenate([task.train, task.validation, task.test]))
    return Dataset(
        "digits",
        images[kept],
        split[kept],
        labels={"label": labels[kept]},
        class_names={"label": names},
    )


register_dataset(
    DatasetInfo(
        name="digits",
        title="Handwritten digits",
        description="1,797 digits of scikit-learn in ten classes with a long tail; no download.",
        load=load_digits,
        targets=("label",),
        image_size=16,
        channels=1,
        mirror=False,
        credits="Digits: E. Alpaydin and C. Kaynak, UCI Machine Learning Repository, CC BY 4.0.",
        order=1,
    )
)
