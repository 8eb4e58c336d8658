"""Small folders of different random images, and how a folder is read."""

import warnings

import numpy as np
from PIL import Image

from clmle.data import SPLITS, load_folder

RNG = np.random.default_rng(0)


def picture(path, kind=None, pixels=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    if pixels is None:
        pixels = RNG.integers(0, 255, (9, 9, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path, kind)
    return path


def tree(home, **counts):
    """Folders with so many images; "__" in a name stands for "/"."""
    home.mkdir(parents=True, exist_ok=True)
    for name, count in counts.items():
        folder = home / name.replace("__", "/")
        folder.mkdir(parents=True, exist_ok=True)
        for i in range(count):
            picture(folder / f"{name}{i:02d}.png")
    return home


def read(folder, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return load_folder(folder, image_size=8, **options)


def counts(dataset, target="label"):
    """Images of each class in each split."""
    values, names = dataset.values_of(target)
    return {
        name: tuple(int(((values == i) & (dataset.split == s)).sum()) for s in range(len(SPLITS)))
        for i, name in enumerate(names)
    }
