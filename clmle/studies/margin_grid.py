"""A study of the two margins on validation images: its request, and its results as a grid."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas

from clmle.config import flat
from clmle.studies.request import FREE, StudyRequest

MARGIN_PREFIX = "margins-of-"  # of the names of these studies


@dataclass(frozen=True)
class MarginGrid:
    """Balanced accuracy of every pair of margins, mean over tasks, then over seeds.

    Arrays are NaN where no trial has ended yet.
    """

    between: tuple[float, ...]  # (R,) fractions of the upper bound of a1
    within: tuple[float, ...]  # (C,) fractions of that of a2
    validation: np.ndarray  # (R, C)
    spread: np.ndarray  # standard deviation of validation over seeds
    test: np.ndarray
    best: tuple[int, int]  # highest on validation images; of equal ones, the smaller margins


def margin_request(
    between: Sequence[float],
    within: Sequence[float],
    dataset: str = "digits",
    attribute: str = "",
    seeds: Sequence[int] = (0, 1),
    preset: str = "quick",
) -> StudyRequest:
    """The request of a study that tries every pair of margins, as fractions of their bounds.

    The within-class term of Eq. 9 gets weight 1, because a2 has no effect without it; the margin
    trials, which would choose a1, are off.
    """
    fractions = {"between_margin_fraction": between, "within_margin_fraction": within}
    grid = [f"options.{n}={','.join(f'{v:g}' for v in values)}" for n, values in fractions.items()]
    return StudyRequest(
        FREE, dataset, (attribute,) if attribute else (), tuple(seeds), ("clmle",), (),
        (*grid, "options.within_weight=1", "train.margin_trials=0"), preset,
    )  # fmt: skip


def margin_grid(summaries: Sequence[Mapping[str, Any]]) -> MarginGrid | None:
    """Return the grid of results of a study of :func:`margin_request`."""
    rows = [
        {"a1": config["options.between_margin_fraction"],
         "a2": config["options.within_margin_fraction"], "seed": s["seed"],
         **{split: s[split]["balanced_accuracy"] for split in ("validation", "test")}}
        for s in summaries
        if "options.between_margin_fraction" in (config := flat(s["config"]))
    ]  # fmt: skip
    if not rows:
        return None
    per_seed = pandas.DataFrame(rows).groupby(["a1", "a2", "seed"])[["validation", "test"]].mean()
    groups = per_seed.groupby(["a1", "a2"])
    means = groups.mean()
    validation = means["validation"].unstack("a2")
    found = validation.to_numpy()
    best = np.unravel_index(int(np.nanargmax(found)), found.shape)
    return MarginGrid(
        tuple(validation.index),
        tuple(validation.columns),
        found,
        groups["validation"].std(ddof=1).unstack("a2").to_numpy(),
        means["test"].unstack("a2").to_numpy(),
        (int(best[0]), int(best[1])),
    )
