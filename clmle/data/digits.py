"""The handwritten digits of scikit-learn with a long tail: for examples and tests."""

import numpy as np

from clmle.data.base import TEST, TRAIN, VALIDATION, Dataset
from clmle.data.imbalance import imbalance
from clmle.data.registry import DatasetInfo, register_dataset


def load_digits(
    ratio: float = 20.0, *, kind: str = "exponential", image_size: int = 16, seed: int = 0
) -> Dataset:
    """Load the 1,797 handwritten digits of scikit-learn, with imbalanced training classes.

    Of each class half of the images are for training, a sixth for validation and a third for
    testing. Then training images are removed so that 0 is the largest and 9 the smallest class.
    """
    from sklearn.datasets import load_digits as sklearn_digits

    bunch = sklearn_digits()
    labels = bunch.target.astype(np.int64)
    pixels = (bunch.images / 16 * 255).round().astype(np.uint8)
    source = (np.arange(image_size) * 8) // image_size
    images = np.ascontiguousarray(pixels[:, source][:, :, source][..., None])
    split = np.empty(len(labels), dtype=np.int8)
    for c in range(10):
        members = np.random.default_rng([seed, c]).permutation(np.flatnonzero(labels == c))
        cuts = [len(members) // 2, len(members) * 2 // 3]
        for part, value in zip(np.split(members, cuts), (TRAIN, VALIDATION, TEST), strict=True):
            split[part] = value
    names = {"label": tuple(map(str, range(10)))}
    whole = Dataset("digits", images, split, labels={"label": labels}, class_names=names)
    if ratio == 1:
        return whole
    task = imbalance(whole.task("label"), kind, ratio, order=range(10), seed=seed)
    kept = np.sort(np.concatenate([task.train, task.validation, task.test]))
    return Dataset(
        "digits", images[kept], split[kept], labels={"label": labels[kept]}, class_names=names
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
