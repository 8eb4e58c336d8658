"""Imbalanced data whose classes have hidden sub-populations, as fields of a training run's data.

Only the evaluation uses the labels of the sub-populations. Every seed draws its own training,
validation and test data; validation data are as imbalanced as the training data.
"""

from collections.abc import Sequence
from typing import Any

MODES = 6
ANIMALS = ("bird", "cat", "deer", "dog", "frog", "horse")
VEHICLES = {"airplane": 240, "automobile": 80, "ship": 27, "truck": 9}  # out of 356
STYLES = {"avataaars": 56, "adventurer": 40, "lorelei": 28, "notionists": 16, "micah": 8}


def hidden_modes(minority: int, majority: int = 6000, classes: int = 2) -> dict[str, Any]:
    """Two classes of six modes each, all modes of a class of equal size.

    With more ``classes`` each of the two is divided: four classes have three modes each.
    """
    own = 2 * MODES // classes
    merged = {
        c if own == MODES else f"{c}-{first // own}": [f"{c}{k}" for k in range(first, first + own)]
        for c in "ab"
        for first in range(0, MODES, own)
    }
    counts = {
        f"{c}{k}": n // MODES for c, n in (("a", majority), ("b", minority)) for k in range(MODES)
    }
    return {
        "imbalance": "given",
        "counts": ";".join(f"{mode}={n}" for mode, n in counts.items()),
        "merge": ";".join(f"{name}={'+'.join(modes)}" for name, modes in merged.items()),
        "validation": "imbalanced",
        "validation_size": 3000,
        "split": -1,
    }


def superclasses(minority: int = 356, left_out: Sequence[str] = ()) -> dict[str, Any]:
    """6 kinds of animals of 1,000 photographs each against a long tail of 4 kinds of vehicles.

    The kinds ``left_out`` are never trained on.
    """
    counts = {name: round(n * minority / 356) for name, n in VEHICLES.items()}
    counts |= dict.fromkeys(ANIMALS, 1000) | dict.fromkeys(left_out, 0)
    return {
        "imbalance": "given",
        "counts": ";".join(f"{k}={n}" for k, n in counts.items()),
        "merge": "animal=" + "+".join(ANIMALS) + ";vehicle=" + "+".join(VEHICLES),
        "validation": "imbalanced",
        "validation_size": 1500,
        "split": -1,
    }


def hidden_styles() -> dict[str, Any]:
    """Faces without glasses, 800 of each drawing style, against a long tail with glasses."""
    counts = {f"{style} glasses": n for style, n in STYLES.items()}
    counts |= {f"{style} bare": 800 for style in STYLES}
    return {
        "imbalance": "given",
        "counts": ";".join(f"{k}={n}" for k, n in counts.items()),
        "merge": ";".join(
            f"{c}=" + "+".join(f"{style} {c}" for style in STYLES) for c in ("bare", "glasses")
        ),
        "validation": "imbalanced",
        "validation_size": 1000,
        "split": -1,
    }
