"""Data sets by name that other libraries download: cifar10, cifar100 and olivetti."""

import contextlib
import os
import sys
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from clmle.data.base import Dataset, Progress
from clmle.data.cifar import is_cifar, load_cifar
from clmle.data.pixel_arrays import as_pixels, resized
from clmle.data.pixels import check_image_size
from clmle.data.recognition.faces import identity_dataset
from clmle.data.registry import DatasetInfo, register_dataset
from clmle.errors import InputError
from clmle.files import cache_dir, expanded

CIFAR = {
    "cifar10": ("CIFAR10", "cifar-10-batches-py", "cifar-10-python.tar.gz"),
    "cifar100": ("CIFAR100", "cifar-100-python", "cifar-100-python.tar.gz"),
}
OLIVETTI = "olivetti_py3.pkz"  # in scikit-learn's folder
URL = "https://www.cs.toronto.edu/~kriz/"


def sklearn_home() -> Path:
    """Folder of scikit-learn's downloads."""
    return expanded(os.environ.get("SCIKIT_LEARN_DATA", "~/scikit_learn_data"))


def fetched(fetch: Callable[..., Any], what: str, copy: str, **options: Any) -> Any:
    """What a function of scikit-learn returns or downloads; one sentence where it cannot."""
    try:
        # What it prints is no output of a command; its warnings announce what the error says.
        with warnings.catch_warnings(), contextlib.redirect_stdout(sys.stderr):
            warnings.simplefilter("ignore")
            return fetch(n_retries=1, delay=0.1, **options)
    except Exception as error:  # scikit-learn raises many types without a network
        raise InputError(
            f"{what} and scikit-learn cannot download it ({error}); go online, or copy {copy} "
            "there from another computer."
        ) from error


def _cifar_here(name: str) -> Path | None:
    """The folder or archive of CIFAR where torchvision and people keep it."""
    _, folder, archive = CIFAR[name]
    homes = [cache_dir() / name, Path("data"), Path(), expanded("~/data"), sklearn_home()]
    places = [home / end for home in homes for end in (folder, archive)]
    return next((place for place in places if place.exists() and is_cifar(place)), None)


def _is_downloaded(name: str) -> bool:
    return _cifar_here(name) is not None


def _cifar_home(name: str) -> Path:
    """The same; downloaded where it is missing."""
    if here := _cifar_here(name):
        return here
    loader, _, archive = CIFAR[name]
    try:
        from torchvision import datasets

        getattr(datasets, loader)(str(cache_dir() / name), download=True)
        return cache_dir() / name
    except Exception as error:  # torchvision raises many types without a network
        without = isinstance(error, ImportError)
        why = "torchvision is not installed" if without else f"torchvision cannot: {error}"
        raise InputError(
            f"{name} is not on this computer and is not downloaded ({why}); get {URL}{archive} and "
            f"put it into {cache_dir() / name}, or give its path in place of {name}."
        ) from error


def load_cifar10(
    image_size: int = 32, *, seed: int = 0, progress: Progress | None = None
) -> Dataset:
    """CIFAR-10 from the files of this computer, else downloaded by torchvision."""
    home = _cifar_home("cifar10")
    return load_cifar(home, image_size=image_size, seed=seed, progress=progress)


def load_cifar100(
    image_size: int = 32, *, seed: int = 0, progress: Progress | None = None
) -> Dataset:
    """CIFAR-100 from the files of this computer, else downloaded by torchvision."""
    home = _cifar_home("cifar100")
    return load_cifar(home, image_size=image_size, seed=seed, progress=progress)


def load_olivetti(
    image_size: int = 64, *, seed: int = 0, progress: Progress | None = None
) -> Dataset:
    """400 photographs of 40 identities, from scikit-learn's cache or downloaded by it."""
    from sklearn.datasets import fetch_olivetti_faces

    sides = check_image_size(image_size)
    missing = f"olivetti is not in {sklearn_home()}"
    bunch = fetched(fetch_olivetti_faces, missing, OLIVETTI)
    (pixels,), _ = as_pixels([bunch.images], "olivetti")
    identities = np.array([f"{i + 1:02d}" for i in bunch.target])
    return identity_dataset("olivetti", resized(pixels, sides), {}, identities, {}, seed)


for _name, _title, _load, _count, _targets in (
    ("cifar10", "CIFAR-10", load_cifar10, "ten classes", ("label",)),
    ("cifar100", "CIFAR-100", load_cifar100, "a hundred classes", ("label", "superclass")),
):
    register_dataset(
        DatasetInfo(
            name=_name,
            title=_title,
            description=f"60,000 photographs of {_count}; downloaded by torchvision.",
            load=_load,
            targets=_targets,
            image_size=32,
            fixed_test=True,
            is_downloaded=partial(_is_downloaded, _name),
            credits=f"{_title}: A. Krizhevsky, Learning multiple layers of features, 2009.",
            order=30,
        )
    )
register_dataset(
    DatasetInfo(
        name="olivetti",
        title="Olivetti faces",
        description="400 gray photographs of 40 identities; downloaded by scikit-learn.",
        load=load_olivetti,
        kind="identities",
        targets=("identity",),
        image_size=64,
        channels=1,
        is_downloaded=lambda: (sklearn_home() / OLIVETTI).is_file(),
        credits="Olivetti faces: AT&T Laboratories Cambridge, 1992 to 1994.",
        order=32,
    )
)
