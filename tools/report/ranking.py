"""All methods on one data set: table, leaderboard, paired differences, gain by attribute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clmle import figures
from clmle.studies.statistics import (
    common_block,
    complete_variants,
    gain_by_task,
    rank_correlation,
    seed_means,
    t_interval,
    trials_frame,
    variant_table,
)
from tools.report.markdown import (
    Page,
    counted,
    interval,
    listed,
    number,
    signed,
    with_spread,
)
from clmle.studies.study_results import OURS, RANKINGS, Study
from tools.report.summary import all_differences, short
from tools.report.summary import baselines as all_baselines

PLAIN = "softmax"  # learns without a thought for imbalance
BESIDE = "oversampling"


def section(page: Page, studies: Sequence[Study]) -> None:
    """Every ranking there is; the per-attribute part where there are several tasks."""
    rankings = [s for s in studies if s.name in RANKINGS]
    if rankings:
        page.heading("All methods")
    for study in rankings:
        frame = trials_frame(study.summaries)
        kept, few = complete_variants(frame)
        table = variant_table(kept)
        page.heading(f"{study.dataset}: {study.title}", 3)
        page.text(study.question)
        if table.empty:
            page.text("The methods share no task and seed yet.")
            continue
        page.text(*basis(table, few))
        metrics_table(page, table)
        page.text(
            "Seconds were measured while other runs shared the machine, more or fewer of them: "
            "[BENCHMARKS](benchmarks.md) times a step of each kind alone."
        )
        draw_leaderboard(page, study, kept, table)
        draw_differences(page, study, frame)
        if len(study.tasks) > 1:
            by_attribute(page, study, frame)


def basis(table: Any, few: Mapping[str, int]) -> list[str]:
    """Which cells a table rests on, and what was left out."""
    row = table.iloc[0]
    n, left = int(row["cells"]), int(table["left_out"].sum())
    lines = [
        f"Each row rests on the same {counted(n, 'cell')}: {counted(int(row['tasks']), 'task')}, "
        f"{counted(int(row['seeds']), 'seed')}; ± is the standard deviation over seeds."
    ]
    if left:
        trials = counted(
            left, "cell that not every row has was", "cells that not every row has were"
        )
        lines.append(f"{trials} left out.")
    if few:
        lines.append(
            "Too few cells to be in the table: "
            f"{listed([f'{name} ({trials})' for name, cells in sorted(few.items())])}."
        )
    return lines


def metrics_table(page: Page, table: Any) -> None:
    """Every figure of every variant; ours in bold."""
    costs = relative_cost(table)
    rows = []
    for place, (name, r) in enumerate(table.iterrows(), start=1):
        shown = f"**{name}**" if name == OURS else name
        rows.append(
            [
                f"{place}. {shown}",
                with_spread(r["balanced_accuracy"], r["spread"]),
                *(number(r[f]) for f in ("average_precision", "roc_auc", "mcc")),
                *(number(r[f]) for f in ("recall_rarest", "recall_commonest")),
                number(r["seconds"], 1),
                costs[name],
            ]
        )
    page.table(
        [
            "method", "balanced accuracy", "average precision", "ROC AUC", "MCC",
            "recall, rarest class", "recall, commonest class", "seconds", f"times {PLAIN}",
        ],
        rows,
    )  # fmt: skip


def relative_cost(table: Any) -> dict[str, str]:
    """Seconds over those of the plain softmax, a dash where it is not in the table."""
    if PLAIN not in table.index:
        return dict.fromkeys(table.index, "–")
    base = float(table.loc[PLAIN, "seconds"])
    return {n: number(s / base, 1) if base else "–" for n, s in table["seconds"].items()}


def draw_leaderboard(page: Page, study: Study, kept: Any, table: Any) -> None:
    means = seed_means(common_block(kept))
    order = list(table.index)
    figure = figures.leaderboard(
        {n: [float(v) for v in means.loc[n]] for n in order},
        {n: t_interval(means.loc[n].to_numpy()) for n in order},
        f"Balanced accuracy on {study.dataset}",
        highlight=[OURS],
    )
    caption = study.caption("A dot a seed, the mean over tasks; diamonds: mean and 95 % interval.")
    page.figure(study.name, figure, caption)


def draw_differences(page: Page, study: Study, frame: Any) -> None:
    found = all_differences(frame)
    if not found:
        return
    figure = figures.differences(
        {d.second: (d.mean, d.low, d.high) for d in found},
        f"{OURS} minus each rival on {study.dataset}",
        "paired difference in balanced accuracy, 95 % interval over seeds",
    )
    caption = study.caption(f"Right of zero `{OURS}` is better. Each rival on the cells both have.")
    page.figure(f"{study.name}-differences", figure, caption)


def by_attribute(page: Page, study: Study, frame: Any) -> None:
    """Each attribute, and whether the gain grows with imbalance."""
    have = set(frame["variant"])
    strongest = next(iter(all_baselines(frame)), None)
    baselines = list(dict.fromkeys(b for b in (PLAIN, strongest) if b and b in have))
    if OURS not in have or not baselines:
        return
    page.heading(f"Attribute by attribute: {study.dataset}, {study.title}", 4)
    shown = list(dict.fromkeys(n for n in (PLAIN, BESIDE, strongest, OURS) if n and n in have))
    means = frame.groupby(["task", "variant"])["balanced_accuracy"].mean().unstack("variant")
    gains = {b: gain_by_task(frame, OURS, b).set_index("task") for b in baselines}
    gains = {b: g for b, g in gains.items() if len(g)}
    if not gains:
        return
    minority = frame.groupby("task")["minority"].mean().sort_values(ascending=False, kind="stable")
    rows = []
    for task, share in minority.items():
        trials = [_gain(g, task) for g in gains.values()]
        values = [number(means.loc[task, n]) for n in shown]
        rows.append([short(task), f"{100 * share:.1f} %", *values, *trials])
    page.table(
        ["attribute", "rarer class", *shown, *(f"{OURS} over {b}, 95 % interval" for b in gains)],
        rows,
    )
    page.text(
        "Means are over the seeds each method has; gains over the seeds both have.",
        *(_correlation(b, g) for b, g in gains.items()),
    )
    figure = figures.gain_by_imbalance(
        {b: g.reset_index().assign(task=[short(t) for t in g.index]) for b, g in gains.items()},
        f"Gain of {OURS} by imbalance of the attribute",
    )
    caption = "Attributes with the share of their rarer class, best balanced on top (as Fig. 9)."
    page.figure(f"{study.name}-gain", figure, study.caption(caption))


def _gain(gains: Any, task: str) -> str:
    if task not in gains.index:
        return "–"
    row = gains.loc[task]
    around = "" if row["seeds"] < 2 else f" ({interval(row['low'], row['high'])})"
    return f"{signed(row['gain'])}{around}"


def _correlation(baseline: str, gains: Any) -> str:
    found = rank_correlation(gains["level"], gains["gain"])
    if found is None:
        return ""
    rho, p = found
    return (
        f"Gain over {baseline} and imbalance level: Spearman's correlation {signed(rho, 2)} "
        f"(p {'< 0.001' if p < 0.001 else f'= {number(p)}'}, {counted(len(gains), 'attribute')})."
    )
