"""What a study is, and how its variants are written down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clmle.methods import method_variant

Tree = Mapping[str, Any]
Grid = Sequence[tuple[str, str, Sequence[str]]]
PARTS = ("options", "train", "data")
# Every attribute of toonfaces, rare ones first, so that a sweep that is stopped tells most.
FACES = (
    "Bald",
    "Mustache",
    "Gray_Hair",
    "Pale_Skin",
    "Wearing_Hat",
    "Blurry",
    "Eyeglasses",
    "Beard",
    "Wearing_Earrings",
    "Blond_Hair",
    "Brown_Hair",
    "Black_Hair",
    "Smiling",
    "Mouth_Slightly_Open",
)
# What ablations are tried on: at 100 to 1 these are far from the ceiling and their test images
# are many (about 2,900 and 1,000 of the rarer class); the recipe was not sought on them.
HARD = ("Mouth_Slightly_Open", "Beard")


@dataclass(frozen=True)
class Study:
    """One question put to an experiment.

    ``variants`` maps a name to what differs from the preset: {"method": name, "options": {...},
    "train": {...}, "data": {...}}, each part optional; the method is clmle unless given.
    ``attributes`` () takes the data set's first target; ``ratios`` () leaves the imbalance. As a
    rule an ablation is tried on two attributes of faces, each thinned to 100 to 1.
    """

    name: str
    title: str
    question: str
    variants: Mapping[str, Tree]
    attributes: tuple[str, ...] = HARD
    seeds: tuple[int, ...] = (0, 1)
    ratios: tuple[float, ...] = (100,)
    dataset: str = "toonfaces"


def options(**values: Any) -> Tree:
    """A variant that differs by options of the method alone."""
    return {"options": values}


def methods(*names: str, **data: Any) -> dict[str, Tree]:
    """A variant for every name (see :func:`method_variant`); ``data`` are settings of the data."""
    return {name: method_variant(name) | ({"data": data} if data else {}) for name in names}


def printed_batches(**values: Any) -> Tree:
    """A variant on batches of one neighborhood, which M and samples of a cluster belong to."""
    return options(sampler="cluster-neighborhood", centroids="batch", **values)


# The learning rate must not drop, nor a run stop, because validation is measured more often.
def rounds(count: int) -> dict[str, int]:
    """Training settings for ``count`` rounds without a plateau."""
    return {"rounds": count, "patience": max(3, count)}


def together(variants: Mapping[str, Tree]) -> dict[str, Tree]:
    """Settings that fourteen attributes at once ask for: three times the steps of one attribute.

    And a tenth of its weight decay, the best of two for threshold moving, its strongest rival here.
    """
    longer = {"iterations": 1200, "pretrain_iterations": 300, "weight_decay": 0.002}
    return {n: {**v, "train": {**longer, **v.get("train", {})}} for n, v in variants.items()}
