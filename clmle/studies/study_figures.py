"""Every picture of a study, by name: the figure, the numbers in it, and what they rest on."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from clmle import figures
from clmle.config import flat
from clmle.errors import InputError
from clmle.studies.convergence import courses
from clmle.studies.statistics import (
    FIGURES,
    common_block,
    comparable_seconds,
    complete_variants,
    each_task,
    paired_difference,
    seed_means,
    t_interval,
    trials_frame,
    variant_table,
    widest_pace,
)
from tools.report.ablations import grid_of, plain, reference, single_option
from tools.report.markdown import counted
from tools.report.ranking import basis
from tools.report.study import Study

MEASURES = {name: name.replace("_", " ").replace("roc auc", "ROC AUC").replace("mcc", "MCC")
            for name in FIGURES if name != "seconds"}  # fmt: skip
NAMES = {
    "seeds": "Every seed",
    "varied": "What was varied",
    "heat": "Heat map",
    "differences": "Differences",
    "ratio": "Against imbalance",
    "cost": "Cost and gain",
    "learning_curve": "Along training",
}

FEW = 12  # variants that keep the study's own order; more are ranked


@dataclass(frozen=True)
class Picture:
    """A plotly figure, its numbers as a data frame, and a sentence on the cells behind them."""

    figure: Any
    data: Any
    says: str


def only(study: Study, variants: Collection[str]) -> Study:
    """The study with the results of these variants alone."""
    return replace(study, summaries=[s for s in study.summaries if s["variant"] in variants])


def available(study: Study) -> list[str]:
    """Names of the pictures that this study has something to show on."""
    several = len(study.variants) > 1
    ratios = {s["config"]["data"]["ratio"] for s in study.summaries}
    fit = {
        "seeds": True,
        "varied": bool(_factor(study) or _grid(study)),
        "heat": True,
        "differences": several,
        "ratio": len(ratios) > 1,
        "cost": several,
        "learning_curve": any(s.get("learning_curve") for s in study.summaries),
    }
    return [name for name in NAMES if fit[name]]


def picture(study: Study, name: str, measure: str = "balanced_accuracy", base: str = "") -> Picture:
    """The picture called ``name`` (a key of NAMES) of one of MEASURES on test images.

    ``base`` is the variant that differences and gains are taken from. "learning_curve" shows balanced
    accuracy on validation images, the only one that is kept along training.

    Raises
    ------
    InputError
        An unknown name or measure, or no cell that all variants have.
    """
    if name not in NAMES or measure not in MEASURES:
        raise InputError(
            f"There is no picture {name!r} of {measure!r}; pictures: {', '.join(NAMES)}; "
            f"measures: {', '.join(MEASURES)}."
        )
    if not study.summaries:
        raise InputError(f"The study {study.name} has no result yet.")
    base = base if base in study.variants else reference(study)
    return DRAWN[name](study, trials_frame(study.summaries), measure, base)


def study_table(study: Study, base: str = "") -> Any:
    """Every figure of every variant as numbers, a row a variant.

    A handful of variants stand in the study's own order, more of them best first.

    Columns: ``variant``, the names of FIGURES, ``spread``, ``low`` and ``high`` (95 % interval of
    balanced accuracy over seeds), ``difference`` to ``base`` with its interval, ``won`` cells of
    ``pairs``, and the cells behind the row (``tasks``, ``seeds``, ``cells``, ``left_out``).
    """
    import pandas

    frame = trials_frame(study.summaries)
    if frame.empty:
        return pandas.DataFrame()
    base = base if base in study.variants else reference(study)
    table = variant_table(complete_variants(frame)[0])
    means = seed_means(common_block(frame[frame["variant"].isin(table.index)]))
    rows = []
    for name in (n for n in study.variants if n in table.index):
        r = table.loc[name]
        low, high = t_interval(means.loc[name].to_numpy())
        d = None if name == base else paired_difference(frame, name, base, n_bootstrap=0)
        rows.append(
            {
                "variant": name,
                "balanced_accuracy": r["balanced_accuracy"],
                "spread": r["spread"],
                "low": low,
                "high": high,
                "difference": d and d.mean,
                "difference_low": d and d.low,
                "difference_high": d and d.high,
                "won": d and d.won,
                "pairs": d and d.trials,
                **{f: r[f] for f in FIGURES if f != "balanced_accuracy"},
                **{f: int(r[f]) for f in ("tasks", "seeds", "cells", "left_out")},
            }
        )
    found = pandas.DataFrame(rows)
    if len(found) > FEW:
        found = found.sort_values("balanced_accuracy", ascending=False, ignore_index=True)
    return found


def cells_behind(study: Study) -> Any:
    """One row a cell: what it was, its figures, and the key of its line in the results file.

    A cell of many attributes has a row for each of them.
    """
    frame = trials_frame(study.summaries)
    frame.insert(0, "cell", [s["key"] for s in study.summaries for _ in each_task(s, "test")])
    return frame.rename(columns={"pace": "machine"})


# --- the pictures -------------------------------------------------------------------------------


def _seeds(study: Study, frame: Any, measure: str, base: str) -> Picture:
    block, _, says = _common(study, frame)
    means = seed_means(block, measure)
    order = [n for n in study.variants if n in means.index]
    if len(order) > FEW:
        order = list(means.mean(axis=1).sort_values(ascending=False, kind="stable").index)
    spans = {n: t_interval(means.loc[n].to_numpy()) for n in order}
    figure = figures.leaderboard(
        {n: [float(v) for v in means.loc[n]] for n in order},
        spans,
        study.title,
        highlight=[base],
        x=f"{MEASURES[measure]} on test images, mean over tasks",
    )
    data = means.reindex(order).add_prefix("seed ")
    data["mean"] = means.mean(axis=1)
    data["low"], data["high"] = ([spans[n][i] for n in order] for i in (0, 1))
    return Picture(figure, data.reset_index(), f"Circles: one seed; diamonds: mean and 95 % "
                   f"interval over seeds. {says}")  # fmt: skip


def _varied(study: Study, frame: Any, measure: str, base: str) -> Picture:
    """A line over the one number that was varied, or a map of the two things."""
    block, _, says = _common(study, frame)
    means = seed_means(block, measure)
    factor = _factor(study)
    if factor:
        trees = {s["variant"]: flat(s["config"]) for s in study.summaries}
        points = {trees[n][factor]: [float(v) for v in means.loc[n]] for n in means.index}
        figure = figures.one_factor(
            points, study.title, plain(factor), f"{MEASURES[measure]} on test images"
        )
        says = f"Open marks: one seed, the mean over tasks; line: mean. {says}"
        return Picture(figure, _long(means, measure), says)
    grid = _grid(study)
    if grid is None:
        raise InputError("The variants of this study do not differ by one number, nor fill a grid.")
    rows, columns = grid
    names = [[f"{r}, {c}" for c in columns] for r in rows]
    middle, spread = means.mean(axis=1), means.std(axis=1, ddof=1)
    figure = figures.two_factors(
        np.array([[middle.get(n, np.nan) for n in line] for line in names]),
        rows,
        columns,
        study.title,
        spreads=np.array([[spread.get(n, np.nan) for n in line] for line in names]),
    )
    says = f"Mean {MEASURES[measure]} ± standard deviation over seeds. {says}"
    return Picture(figure, _long(means, measure), says)


def _heat(study: Study, frame: Any, measure: str, base: str) -> Picture:
    """Variants by tasks, whatever cells there are: a map that fills as the study runs."""
    place = frame["task"].map(_short)
    if frame["ratio"].nunique() > 1:
        place = place + " " + frame["ratio"].map("{:g} : 1".format)
    groups = frame.assign(place=place).groupby(["variant", "place"])[measure]
    means, spreads = groups.mean().unstack("place"), groups.std(ddof=1).unstack("place")
    order = [n for n in study.variants if n in means.index]
    if len(order) > FEW:
        order = list(means.mean(axis=1).sort_values(ascending=False, kind="stable").index)
    means, spreads = means.loc[order], spreads.loc[order]
    figure = figures.two_factors(
        means.to_numpy(), order, list(means.columns), f"{study.title}: {MEASURES[measure]}",
        spreads=spreads.to_numpy(),
    )  # fmt: skip
    if len(order) > FEW:
        figure.update_layout(height=170 + 24 * len(order))
    figure.update_yaxes(tickmode="linear")
    counts = groups.size()
    fewest, most = int(counts.min()), int(counts.max())
    seeds = counted(most, "seed") if fewest == most else f"{fewest} to {most} seeds"
    says = study.caption(
        f"Mean ± standard deviation over seeds; {seeds} in a field, so rows with fewer are not "
        "comparable to the last digit; an empty field has no cell yet."
        if fewest != most
        else f"Mean ± standard deviation over {seeds}; an empty field has no cell yet."
    )
    data = groups.agg(["mean", "std", "count"]).reset_index()
    return Picture(figure, data.rename(columns={"count": "seeds", "place": "task"}), says)


def _differences(study: Study, frame: Any, measure: str, base: str) -> Picture:
    import pandas

    found = [
        paired_difference(frame, n, base, measure, n_bootstrap=0)
        for n in study.variants
        if n != base
    ]
    pairs = [d for d in found if d is not None]
    if not pairs:
        raise InputError(f"No variant shares a task and a seed with {base} yet.")
    figure = figures.differences(
        {d.first: (d.mean, d.low, d.high) for d in pairs},
        f"Each variant minus {base}",
        f"paired difference in {MEASURES[measure]}, 95 % interval over seeds",
    )
    data = pandas.DataFrame([d.__dict__ for d in pairs]).drop(columns="bootstrap")
    trials = sorted({d.trials for d in pairs})
    many = counted(trials[-1], "cell") if len(trials) == 1 else f"{trials[0]} to {trials[-1]} cells"
    says = f"Right of zero a variant is better than {base}; each on the {many} that both have."
    return Picture(figure, data, study.caption(says))


def _ratio(study: Study, frame: Any, measure: str, base: str) -> Picture:
    block, table, says = _common(study, frame)
    ratios = sorted(block["ratio"].unique())
    per_seed = block.groupby(["variant", "ratio", "seed"])[measure].mean()
    order = [n for n in study.variants if n in table.index]
    figure = figures.factor_lines(
        {n: {r: [float(v) for v in per_seed.loc[n, r]] for r in ratios} for n in order},
        f"{MEASURES[measure].capitalize()} as imbalance grows",
        "largest over smallest training class",
        f"{MEASURES[measure]} on test images",
    )
    says = f"Lines: mean over tasks and seeds; open marks: one seed. {says}"
    return Picture(figure, per_seed.reset_index(), says)


def _cost(study: Study, frame: Any, measure: str, base: str) -> Picture:
    import pandas

    block, _, says = _common(study, frame)
    seconds = comparable_seconds(block)
    points = {}
    for name in study.variants:
        if name in seconds and base in seconds:
            d = (
                paired_difference(frame, name, base, measure, n_bootstrap=0)
                if name != base
                else None
            )
            if d or name == base:
                gain = (d.mean, d.low, d.high) if d else (0.0, None, None)
                points[name] = (float(seconds[name]), *gain)
    if len(points) < 2:
        raise InputError(
            "Seconds can be compared on one machine only, and no other variant ran on that of "
            f"{base}."
        )
    ahead = front({n: (p[0], p[1]) for n, p in points.items()})
    figure = figures.cost_and_gain(
        points, f"Cost against gain over {base}", f"gain in {MEASURES[measure]} over {base}",
        front=ahead, reference=base,
    )  # fmt: skip
    data = pandas.DataFrame(
        [(n, *p, n in ahead) for n, p in points.items()],
        columns=["variant", "seconds", "gain", "low", "high", "nothing_cheaper_and_better"],
    )
    away = len(set(block["variant"])) - len(points)
    where = f"Seconds on {widest_pace(block)}"
    where += f"; {counted(away, 'variant')} ran elsewhere and are not shown. " if away else ". "
    return Picture(figure, data, where + says)


def _course(study: Study, frame: Any, measure: str, base: str) -> Picture:
    import pandas

    found = courses(study.summaries)
    figure = figures.training_curves(
        {n: (c.steps, c.values) for n, c in found.items()}, "Validation figure along training"
    )
    rows = [
        (n, step, number, value)
        for n, c in found.items()
        for number, line in enumerate(c.values)
        for step, value in zip(c.steps, line, strict=True)
    ]
    data = pandas.DataFrame(rows, columns=["variant", "iterations", "seed", "balanced_accuracy"])
    says = "Lines: mean over tasks and seeds; bands: one standard deviation over seeds."
    return Picture(figure, data, study.caption(says))


DRAWN: dict[str, Callable[[Study, Any, str, str], Picture]] = {
    "seeds": _seeds,
    "varied": _varied,
    "heat": _heat,
    "differences": _differences,
    "ratio": _ratio,
    "cost": _cost,
    "learning_curve": _course,
}


# --- parts --------------------------------------------------------------------------------------


def front(points: Mapping[str, tuple[float, float]]) -> set[str]:
    """Names of the (cost, gain) that no other beats in one and equals or beats in the other."""
    return {
        name
        for name, (cost, gain) in points.items()
        if not any(
            c <= cost and g >= gain and (c < cost or g > gain) for c, g in points.values()
        )
    }  # fmt: skip


def _common(study: Study, frame: Any) -> tuple[Any, Any, str]:
    """Cells that all variants with enough of them have, their table, and what it rests on."""
    kept, few = complete_variants(frame)
    table = variant_table(kept)
    if table.empty:
        raise InputError("The variants share no task and seed yet; wait for more cells.")
    return common_block(kept), table, study.caption(" ".join(basis(table, few)))


def _factor(study: Study) -> str:
    return single_option(study, {s["variant"]: flat(s["config"]) for s in study.summaries})


def _grid(study: Study) -> tuple[list[str], list[str]] | None:
    return grid_of(study.variants, study.variants)


def _long(means: Any, measure: str) -> Any:
    return means.stack().rename(measure).reset_index()


def _short(task: str) -> str:
    return task.rsplit("/", 1)[-1].replace("_", " ")
