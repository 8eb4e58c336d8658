"""Every ablation: its question, a table, and the figure that suits what was varied."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from clmle import figures
from clmle.config import flat
from clmle.methods import get_method
from clmle.studies.statistics import (
    common_block,
    complete_variants,
    paired_difference,
    seed_means,
    t_interval,
    trials_frame,
    variant_table,
)
from tools.report.markdown import Page, difference_text, number, with_spread
from tools.report.ranking import basis
from clmle.studies.study_results import OURS, RANKINGS, TUNINGS, Study

ELSEWHERE = (*RANKINGS, *TUNINGS, "imbalance", "curves")


def section(page: Page, studies: Sequence[Study]) -> None:
    """Every study that is neither a ranking nor has a section of its own."""
    ablations = [s for s in studies if s.name not in ELSEWHERE]
    if ablations:
        page.heading("Ablations")
        page.text("Differences are paired, with a 95 % interval over seeds, as above.")
    for study in ablations:
        page.heading(study.title, 3)
        page.text(study.question)
        _study(page, study)


def reference(study: Study) -> str:
    """The variant that others are compared with: the method as it is by default, else the first.

    That is the variant of its name, or the only one whose options are all the method's defaults.
    """
    if OURS in study.variants:
        return OURS
    default = asdict(get_method(OURS).Options())
    plain = {s["variant"] for s in study.summaries if s["config"]["options"] == default}
    return plain.pop() if len(plain) == 1 else study.variants[0]


def _study(page: Page, study: Study) -> None:
    frame = trials_frame(study.summaries)
    kept, few = complete_variants(frame)
    table = variant_table(kept)
    if table.empty:
        page.text("The variants share no task and seed yet.")
        return
    page.text(*basis(table, few))
    base = reference(study)
    rows = []
    for name in (n for n in study.variants if n in table.index):
        r = table.loc[name]
        d = None if name == base else paired_difference(frame, name, base)
        rows.append(
            [
                f"**{name}**" if name == base else name,
                with_spread(r["balanced_accuracy"], r["spread"]),
                number(r["average_precision"]),
                number(r["recall_rarest"]),
                number(r["recall_commonest"]),
                number(r["seconds"], 1),
                "" if name == base else difference_text(d),
            ]
        )
    page.table(
        [
            "variant", "balanced accuracy", "average precision", "recall, rarest class",
            "recall, commonest class", "seconds", f"difference to {base}",
        ],
        rows,
    )  # fmt: skip
    page.figure(study.name, *_drawn(study, common_block(kept), table))


def _drawn(study: Study, block: Any, table: Any) -> tuple[Any, str]:
    """The figure and its caption: a line, a heat map, or dots."""
    means = seed_means(block)
    trees = {s["variant"]: flat(s["config"]) for s in study.summaries}
    factor = single_option(study, trees)
    if factor:
        points = {trees[n][factor]: [float(v) for v in means.loc[n]] for n in means.index}
        figure = figures.one_factor(points, study.title, plain(factor))
        return figure, study.caption("Open marks: one seed, the mean over tasks; line: mean.")
    grid = grid_of(list(means.index), study.variants)
    if grid:
        rows, columns = grid
        names = [[f"{r}, {c}" for c in columns] for r in rows]
        figure = figures.two_factors(
            np.array([[table.loc[n, "balanced_accuracy"] for n in line] for line in names]),
            rows,
            columns,
            study.title,
            spreads=np.array([[table.loc[n, "spread"] for n in line] for line in names]),
        )
        return figure, study.caption("Mean balanced accuracy ± standard deviation over seeds.")
    order = [n for n in study.variants if n in means.index]
    figure = figures.leaderboard(
        {n: [float(v) for v in means.loc[n]] for n in order},
        {n: t_interval(means.loc[n].to_numpy()) for n in order},
        study.title,
        highlight=[reference(study)],
    )
    return figure, study.caption("Circles: one seed; diamonds: mean and 95 % interval.")


def single_option(study: Study, trees: dict[str, dict[str, Any]]) -> str:
    """The numeric setting that tells every variant from every other, or "".

    Of several (M grows as n falls, say) the one that the study is named after, else the first.
    """
    fit = []
    for name in study.factors():
        values = [float(tree[name]) for tree in trees.values() if _numeric(tree.get(name))]
        telling = len(set(values)) == len(trees) > 2
        # A 0 among hundreds is another thing ("chosen"), not a place on the axis.
        if telling and (min(values) > 0 or max(values) < 10):
            fit.append(name)
    wanted = study.name.replace("-", "_")
    return next((n for n in fit if wanted in n), fit[0] if fit else "")


def grid_of(names: Sequence[str], order: Sequence[str]) -> tuple[list[str], list[str]] | None:
    """Rows and columns of variants called "row, column" that fill a grid; None where not."""
    parts = [n.split(", ") for n in order if n in names]
    if any(len(p) != 2 for p in parts):
        return None
    rows, columns = (list(dict.fromkeys(p[i] for p in parts)) for i in (0, 1))
    full = len(rows) > 1 and len(columns) > 1 and len(parts) == len(rows) * len(columns)
    return (rows, columns) if full else None


def _numeric(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def plain(setting: str) -> str:
    """options.cluster_size as cluster size."""
    return setting.rsplit(".", 1)[-1].replace("_", " ")
