"""What a study is, and short ways to write its variants."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clmle.methods import method_variant

Tree = Mapping[str, Any]
Grid = Sequence[tuple[str, str, Sequence[str]]]
# Every attribute of toonfaces, rare ones first: an interrupted study has the most informative.
FACES = (
    "Bald", "Mustache", "Gray_Hair", "Pale_Skin", "Wearing_Hat", "Blurry", "Eyeglasses", "Beard",
    "Wearing_Earrings", "Blond_Hair", "Brown_Hair", "Black_Hair", "Smiling", "Mouth_Slightly_Open",
)  # fmt: skip
# Default attributes of ablations: at 100 : 1 they are far from the ceiling, their test sets have
# 2,900 and 1,000 minority images, and no hyper-parameter was chosen on them.
HARD = ("Mouth_Slightly_Open", "Beard")


@dataclass(frozen=True)
class Study:
    """A question, and the variants, data and seeds that answer it.

    Parameters
    ----------
    name : str
        Name of the study and of its results file.
    title, question : str
    variants : mapping
        From a variant's name to its differences from the preset: ``{"method": name, "options":
        {...}, "train": {...}, "data": {...}}``, each part optional; the default method is clmle.
    attributes : tuple of str
        () takes the first target of the data set.
    seeds : tuple of int
    ratios : tuple of float
        Imbalance ratios (largest class over smallest); () leaves the data as they are.
    dataset : str
    imbalance : str
        Kind of imbalance of the ratios, as in :class:`clmle.DataConfig`.

    Examples
    --------
    >>> study = Study("scale", "Scale of Eq. 9", "Which scale is best?",
    ...     {"s = 4": {"options": {"scale": 4}}, "s = 8": {}}, (), (0, 1), (), "digits")
    >>> sorted(study.variants)
    ['s = 4', 's = 8']
    """

    name: str
    title: str
    question: str
    variants: Mapping[str, Tree]
    attributes: tuple[str, ...] = HARD
    seeds: tuple[int, ...] = (0, 1)
    ratios: tuple[float, ...] = (100,)
    dataset: str = "toonfaces"
    imbalance: str = "step"


def options(**values: Any) -> Tree:
    """A variant that differs by options of the method alone."""
    return {"options": values}


def methods(*names: str, **data: Any) -> dict[str, Tree]:
    """A variant for each name (see :func:`method_variant`); ``data`` are fields of DataConfig."""
    return {name: method_variant(name) | ({"data": data} if data else {}) for name in names}


def neighborhood_batches(**values: Any) -> Tree:
    """A variant with batches of one neighborhood (section 3.3), which M and l apply to."""
    return options(sampler="cluster-neighborhood", centroids="batch", **values)


def rounds(count: int) -> dict[str, int]:
    """Training fields for ``count`` rounds; the patience grows with them, so no run stops early."""
    return {"rounds": count, "patience": max(3, count)}


def multi_label(variants: Mapping[str, Tree]) -> dict[str, Tree]:
    """The variants with the budget of fourteen attributes on one network.

    It has three times the steps of one attribute, and a tenth of the weight decay: the better of
    two for softmax with tuned thresholds, the strongest baseline here.
    """
    longer = {"iterations": 1200, "pretrain_iterations": 300, "weight_decay": 0.002}
    return {n: {**v, "train": {**longer, **v.get("train", {})}} for n, v in variants.items()}
