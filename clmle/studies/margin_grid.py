"""A grid of the two margins, tried on validation images: what to ask for, and its heat map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from clmle.config import flat
from clmle.studies.request import FREE, Request

PREFIX = "margins-of-"  # of the names of such studies


@dataclass(frozen=True)
class MarginGrid:
    """Mean balanced accuracy of every pair of shares, over tasks and seeds.

    ``between`` (R,) and ``within`` (C,) are shares of the bounds of a1 and a2; ``validation``,
    ``spread`` over seeds and ``test`` are (R, C), NaN where nothing is known yet; ``best`` (row,
    column) is that of the highest mean on validation images, of equals the smaller margins.
    """

    between: tuple[float, ...]
    within: tuple[float, ...]
    validation: np.ndarray
    spread: np.ndarray
    test: np.ndarray
    best: tuple[int, int]


def margin_request(
    between: Sequence[float],
    within: Sequence[float],
    dataset: str = "digits",
    attribute: str = "",
    seeds: Sequence[int] = (0, 1),
    preset: str = "quick",
) -> Request:
    """The request of a study that tries every pair; a1 and a2 as shares of their bounds.

    The within-class term of Eq. 9 has weight 1, so that a2 counts; trials, which would choose a1
    themselves, are off.
    """
    shares = {"between_margin_fraction": between, "within_margin_fraction": within}
    grid = [f"options.{n}={','.join(f'{v:g}' for v in values)}" for n, values in shares.items()]
    return Request(
        FREE, dataset, (attribute,) if attribute else (), tuple(seeds), ("clmle",), (),
        (*grid, "options.within_weight=1", "train.margin_trials=0"), preset,
    )  # fmt: skip


def margin_grid(summaries: Sequence[Mapping[str, Any]]) -> MarginGrid | None:
    """The grid of a study that :func:`margin_request` asked for; None while it has no result."""
    import pandas

    rows = []
    for s in summaries:
        config = flat(s["config"])
        if "options.between_margin_fraction" not in config:
            continue
        rows.append({
            "a1": config["options.between_margin_fraction"], "a2": config["options.within_margin_fraction"],
            "seed": s["seed"], "validation": s["validation"]["balanced_accuracy"],
            "test": s["test"]["balanced_accuracy"],
        })  # fmt: skip
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
