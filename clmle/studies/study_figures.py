"""Figures and tables of a study's results, with the numbers behind them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas

from clmle import figures
from clmle.errors import InputError
from clmle.studies.convergence import learning_curves
from clmle.studies.statistics import (
    METRICS,
    common_block,
    comparable_seconds,
    complete_variants,
    differences,
    each_task,
    metric_interval,
    seed_means,
    variant_table,
    widest_pace,
)
from clmle.studies.study_results import StudyResults, field_label, task_label
from clmle.text import counted, listed

METRIC_LABELS = {name: name.replace("_", " ").replace("roc auc", "ROC AUC").replace("mcc", "MCC")
                 for name in METRICS if name != "seconds"}  # fmt: skip
FIGURE_LABELS = {
    "seeds": "Every seed",
    "varied": "Varied parameter",
    "heat": "Heat map",
    "differences": "Differences",
    "ratio": "Imbalance ratio",
    "cost": "Cost and gain",
    "learning_curve": "Learning curve",
}
FEW = 12  # variants that keep the study's own order; more are ranked


@dataclass(frozen=True)
class StudyFigure:
    """A plotly figure, its numbers as a data frame, and a caption with the trials behind them."""

    figure: Any
    data: Any
    caption: str


def available(study: StudyResults) -> list[str]:
    """List the figures that the results of a study allow."""
    several = len(study.variants) > 1
    fit = {
        "varied": study.numeric_factor() or study.grid(),
        "differences": several,
        "ratio": len({s["config"]["data"]["ratio"] for s in study.summaries}) > 1,
        "cost": several,
        "learning_curve": any(s.get("learning_curve") for s in study.summaries),
    }
    return [name for name in FIGURE_LABELS if fit.get(name, True)]


def study_figure(
    study: StudyResults, name: str, metric: str = "balanced_accuracy", base: str = ""
) -> StudyFigure:
    """A figure of a study's test metrics."""
    if name not in FIGURE_LABELS or metric not in METRIC_LABELS:
        raise InputError(
            f"There is no figure {name!r} of {metric!r}; figures: {', '.join(FIGURE_LABELS)}; "
            f"metrics: {', '.join(METRIC_LABELS)}."
        )
    if not study.summaries:
        raise InputError(f"The study {study.name} has no result yet.")
    base = base if base in study.variants else study.reference
    return DRAW[name](study, study.frame, metric, base)


def study_table(study: StudyResults, base: str = "") -> Any:
    """Every metric of every variant, one row for each.

    Up to 12 variants keep the study's own order; more are sorted, best first.
    """
    frame = study.frame
    if frame.empty:
        return pandas.DataFrame()
    base = base if base in study.variants else study.reference
    table = variant_table(complete_variants(frame)[0])
    means = seed_means(common_block(frame[frame["variant"].isin(table.index)]))
    names = [n for n in study.variants if n in table.index]
    found = differences(frame, [n for n in names if n != base], base)
    rows = []
    for name in names:
        r, d = table.loc[name], found.get(name)
        low, high = metric_interval(means.loc[name], "balanced_accuracy")
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
                **{m: r[m] for m in METRICS if m != "balanced_accuracy"},
                **{m: int(r[m]) for m in ("tasks", "seeds", "trials", "left_out")},
            }
        )
    shown = pandas.DataFrame(rows).astype({"won": "Int64", "pairs": "Int64"})
    if len(shown) > FEW:
        shown = shown.sort_values("balanced_accuracy", ascending=False, ignore_index=True)
    return shown


def printed_table(table: Any) -> Any:
    """The columns of :func:`study_table` that a publication shows, metrics with their intervals."""

    def with_interval(name: str, low: str, high: str, sign: str = "") -> list[str]:
        texts = []
        for mean, a, b in zip(table[name], table[low], table[high], strict=True):
            span = "" if pandas.isna(a) else f" ({a:{sign}.3f} to {b:{sign}.3f})"
            texts.append("" if pandas.isna(mean) else f"{mean:{sign}.3f}{span}")
        return texts

    won = zip(table["won"], table["pairs"], strict=True)
    ends = ("difference_low", "difference_high")
    return pandas.DataFrame(
        {
            "variant": table["variant"],
            "balanced accuracy (95 % CI)": with_interval("balanced_accuracy", "low", "high"),
            "difference (95 % CI)": with_interval("difference", *ends, "+"),
            "trials won": ["" if pandas.isna(k) else f"{k} of {n}" for k, n in won],
            **{METRIC_LABELS[m]: table[m] for m in ("average_precision", "roc_auc", "mcc")},
        }
    )


def trials_behind(study: StudyResults) -> Any:
    """List the trials of a study: configuration, metrics, and key in the results file."""
    frame = study.frame.rename(columns={"pace": "machine"})
    frame.insert(0, "trial", [s["key"] for s in study.summaries for _ in each_task(s, "test")])
    return frame


def basis(table: Any, few: Mapping[str, int]) -> str:
    """Sentences on the trials that a table of :func:`variant_table` uses and leaves out."""
    row, left = table.iloc[0], int(table["left_out"].sum())
    text = (
        f"Each row uses the same {counted(int(row['trials']), 'trial')}: "
        f"{counted(int(row['tasks']), 'task')}, {counted(int(row['seeds']), 'seed')}; "
        "± is the standard deviation over seeds."
    )
    if left:
        verb = "trial that some row lacks is", "trials that some row lacks are"
        text += f" {counted(left, *verb)} left out."
    if few:
        names = [f"{name} ({trials})" for name, trials in sorted(few.items())]
        text += f" Not in the table, with too few trials: {listed(names)}."
    return text


# --- the figures --------------------------------------------------------------------------------


def _seeds(study: StudyResults, frame: Any, metric: str, base: str) -> StudyFigure:
    block, caption = _common(study, frame)
    means = seed_means(block, metric)
    order = _ordered(study, means)
    spans = {n: metric_interval(means.loc[n], metric) for n in order}
    figure = figures.leaderboard(
        {n: [float(v) for v in means.loc[n]] for n in order},
        spans,
        study.title,
        highlight=[base],
        x=f"{METRIC_LABELS[metric]} on test images, mean over tasks",
    )
    data = means.reindex(order).add_prefix("seed ")
    data["mean"] = means.mean(axis=1)
    data["low"], data["high"] = ([spans[n][i] for n in order] for i in (0, 1))
    caption = f"Circles: one seed; diamonds: mean and 95 % interval over seeds. {caption}"
    return StudyFigure(figure, data.reset_index(), caption)


def _varied(study: StudyResults, frame: Any, metric: str, base: str) -> StudyFigure:
    """A line over the numeric field that was varied, or a heat map of two."""
    block, caption = _common(study, frame)
    means = seed_means(block, metric)
    data = means.stack().rename(metric).reset_index()
    factor = study.numeric_factor()
    if factor:
        name, values = factor
        points = {values[n]: [float(v) for v in means.loc[n]] for n in means.index}
        label = f"{METRIC_LABELS[metric]} on test images"
        figure = figures.one_factor(points, study.title, field_label(name), label)
        caption = f"Open marks: one seed, the mean over tasks; line: mean. {caption}"
        return StudyFigure(figure, data, caption)
    grid = study.grid()
    if grid is None:
        raise InputError("The variants of this study do not differ by one number, nor fill a grid.")
    rows, columns = grid
    names = [f"{r}, {c}" for r in rows for c in columns]
    middle, spread = (
        values.reindex(names).to_numpy().reshape(len(rows), len(columns))
        for values in (means.mean(axis=1), means.std(axis=1, ddof=1))
    )
    figure = figures.two_factors(middle, rows, columns, study.title, spreads=spread)
    caption = f"Mean {METRIC_LABELS[metric]} ± standard deviation over seeds. {caption}"
    return StudyFigure(figure, data, caption)


def _heat(study: StudyResults, frame: Any, metric: str, base: str) -> StudyFigure:
    """Variants by tasks, with whatever trials there are: a map that fills as the study runs."""
    column = frame["task"].map(task_label)
    if frame["ratio"].nunique() > 1:
        column = column + " " + frame["ratio"].map("{:g} : 1".format)
    groups = frame.assign(column=column).groupby(["variant", "column"])[metric]
    means, spreads = groups.mean().unstack("column"), groups.std(ddof=1).unstack("column")
    order = _ordered(study, means)
    means, spreads = means.loc[order], spreads.loc[order]
    figure = figures.two_factors(
        means.to_numpy(), order, list(means.columns), f"{study.title}: {METRIC_LABELS[metric]}",
        spreads=spreads.to_numpy(),
    )  # fmt: skip
    if len(order) > FEW:
        figure.update_layout(height=170 + 24 * len(order))
    figure.update_yaxes(tickmode="linear")
    counts = groups.size()
    text = f"Mean ± standard deviation over {_span(counts, 'seed')}; empty: no trial yet."
    data = groups.agg(["mean", "std", "count"]).reset_index()
    data = data.rename(columns={"count": "seeds", "column": "task"})
    return StudyFigure(figure, data, study.caption(text))


def _differences(study: StudyResults, frame: Any, metric: str, base: str) -> StudyFigure:
    others = [n for n in study.variants if n != base]
    pairs = list(differences(frame, others, base, metric).values())
    if not pairs:
        raise InputError(f"No variant shares a task and a seed with {base} yet.")
    figure = figures.differences(
        {d.first: (d.mean, d.low, d.high) for d in pairs},
        f"Each variant minus {base}",
        f"paired difference in {METRIC_LABELS[metric]}, 95 % interval over seeds",
    )
    data = pandas.DataFrame([d.__dict__ for d in pairs]).drop(columns="bootstrap")
    trials = _span([d.trials for d in pairs], "trial")
    text = f"Right of zero a variant is better than {base}; each on the {trials} that both have."
    return StudyFigure(figure, data, study.caption(text))


def _ratio(study: StudyResults, frame: Any, metric: str, base: str) -> StudyFigure:
    block, caption = _common(study, frame)
    ratios = sorted(block["ratio"].unique())
    per_seed = block.groupby(["variant", "ratio", "seed"])[metric].mean()
    order = [n for n in study.variants if n in set(block["variant"])]
    figure = figures.factor_lines(
        {n: {r: [float(v) for v in per_seed.loc[n, r]] for r in ratios} for n in order},
        f"{METRIC_LABELS[metric].capitalize()} by imbalance ratio",
        "largest over smallest training class",
        f"{METRIC_LABELS[metric]} on test images",
    )
    caption = f"Lines: mean over tasks and seeds; open marks: one seed. {caption}"
    return StudyFigure(figure, per_seed.reset_index(), caption)


def _cost(study: StudyResults, frame: Any, metric: str, base: str) -> StudyFigure:
    block, caption = _common(study, frame)
    seconds = comparable_seconds(block)
    timed = [n for n in study.variants if n in seconds] if base in seconds else []
    found = differences(frame, [n for n in timed if n != base], base, metric)
    gains = {n: (d.mean, d.low, d.high) for n, d in found.items()} | {base: (0.0, None, None)}
    points = {n: (float(seconds[n]), *gains[n]) for n in timed if n in gains}
    if len(points) < 2:
        raise InputError(
            f"Seconds can be compared on one machine only, and no other variant ran on that of "
            f"{base}."
        )
    ahead = pareto_front({n: (p[0], p[1]) for n, p in points.items()})
    figure = figures.cost_and_gain(
        points, f"Cost against gain over {base}", f"gain in {METRIC_LABELS[metric]} over {base}",
        front=ahead, reference=base,
    )  # fmt: skip
    data = pandas.DataFrame(
        [(n, *p, n in ahead) for n, p in points.items()],
        columns=["variant", "seconds", "gain", "low", "high", "pareto_optimal"],
    )
    hidden = len(set(block["variant"])) - len(points)
    where = f"Seconds on {widest_pace(block)}"
    where += f"; {counted(hidden, 'variant')} ran elsewhere and are not shown. " if hidden else ". "
    return StudyFigure(figure, data, where + caption)


def _learning_curve(study: StudyResults, frame: Any, metric: str, base: str) -> StudyFigure:
    found = learning_curves(study.summaries)
    figure = figures.training_curves(
        {n: (c.steps, c.values) for n, c in found.items()}, "Validation metric during training"
    )
    rows = [
        (n, step, number, value)
        for n, c in found.items()
        for number, line in enumerate(c.values)
        for step, value in zip(c.steps, line, strict=True)
    ]
    data = pandas.DataFrame(rows, columns=["variant", "iterations", "seed", "balanced_accuracy"])
    text = "Lines: mean over tasks and seeds; bands: one standard deviation over seeds."
    return StudyFigure(figure, data, study.caption(text))


DRAW: dict[str, Callable[[StudyResults, Any, str, str], StudyFigure]] = {
    "seeds": _seeds,
    "varied": _varied,
    "heat": _heat,
    "differences": _differences,
    "ratio": _ratio,
    "cost": _cost,
    "learning_curve": _learning_curve,
}


def pareto_front(points: Mapping[str, tuple[float, float]]) -> set[str]:
    """Names of the (cost, gain) points that no other point equals or beats in both."""
    return {
        name
        for name, (cost, gain) in points.items()
        if not any(
            c <= cost and g >= gain and (c < cost or g > gain) for c, g in points.values()
        )
    }  # fmt: skip


def _span(counts: Sequence[int], noun: str) -> str:
    """Such as "5 seeds", or "2 to 5 seeds" where counts differ."""
    fewest, most = min(counts), max(counts)
    return counted(most, noun) if fewest == most else f"{fewest} to {most} {noun}s"


def _common(study: StudyResults, frame: Any) -> tuple[Any, str]:
    """The trials that all variants with enough of them have, and the caption that counts them."""
    kept, few = complete_variants(frame)
    table = variant_table(kept)
    if table.empty:
        raise InputError("The variants share no task and seed yet; wait for more trials.")
    return common_block(kept), study.caption(basis(table, few))


def _ordered(study: StudyResults, means: Any) -> list[str]:
    """Variants in the study's own order; many of them best first."""
    if len(means) <= FEW:
        return [n for n in study.variants if n in means.index]
    ranked = means.reindex([n for n in study.variants if n in means.index]).mean(axis=1)
    return list(ranked.sort_values(ascending=False, kind="stable").index)
