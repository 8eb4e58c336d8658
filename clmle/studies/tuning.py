"""The same tuning effort for every method: four settings each, the best on validation images.

A method that was tried in many settings is not better than one that was tried in one. Here each
has its default, a lower learning rate, and two more values of its own dial (of a shared one where
it has none); no method has more tries than another.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clmle.studies.spec import methods

Tree = Mapping[str, Any]

# The dial that a method's paper discusses most, and two values around the default.
DIALS: dict[str, tuple[str, tuple[float, float]]] = {
    "clmle": ("margin_weight", (0.02, 0.15)),
    "center": ("weight", (0.001, 0.01)),
    "center-invariant": ("weight", (0.001, 0.01)),
    "contrastive": ("weight", (0.03, 0.3)),
    "balanced-softmax": ("tau", (0.5, 1.5)),
    "balanced-contrastive": ("weight", (0.1, 1.0)),
    "class-balanced-loss": ("beta", (0.99, 0.9999)),
    "ldam-drw": ("largest_margin", (0.3, 0.7)),
    "cosface": ("margin", (0.2, 0.5)),
    "arcface": ("margin", (14.3, 40.0)),
}
PLAIN = (
    "oversampling + threshold tuning",
    "oversampling",
    "softmax + threshold tuning",
    "coco",
)  # no dial
TRIES = 4


def tries(method: str) -> dict[str, Tree]:
    """The settings that ``method`` is tried in, by name."""
    found: dict[str, Tree] = {
        f"{method}, default": {},
        f"{method}, learning_rate = 0.02": {"train": {"learning_rate": 0.02}},
    }
    if method in DIALS:
        slider, values = DIALS[method]
        found |= {f"{method}, {slider} = {v:g}": {"options": {slider: v}} for v in values}
    else:
        found |= {
            f"{method}, learning_rate = 0.1": {"train": {"learning_rate": 0.1}},
            f"{method}, weight_decay = 0.005": {"train": {"weight_decay": 0.005}},
        }
    assert len(found) == TRIES
    return found


def tuning_variants(**data: Any) -> dict[str, Tree]:
    """The tries of every method; ``data`` are settings of the data."""
    return {
        name: {
            **variant,
            **tree,
            "train": {**variant.get("train", {}), **tree.get("train", {})},
        }
        for method, variant in methods(*DIALS, *PLAIN, **data).items()
        for name, tree in tries(method).items()
    }
