"""The page of a comparison: CLMLE against baselines, with every metric and every attribute."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from clmle import figures
from clmle.studies.baselines import all_differences, baselines, strongest_difference
from clmle.studies.catalog import STUDIES
from clmle.studies.statistics import (
    Difference,
    common_block,
    complete_variants,
    gain_by_task,
    metric_interval,
    paired_difference,
    rank_correlation,
    seed_means,
    variant_table,
)
from clmle.studies.study_figures import basis
from clmle.studies.study_results import OURS, StudyResults, task_label
from clmle.text import counted, listed
from tools.report.markdown import (
    Page,
    difference_text,
    interval,
    number,
    points_text,
    signed,
    with_spread,
)
from tools.report.presets import emphasized, labeled

PLAIN = "softmax"  # the baseline without any treatment of imbalance
SIMPLE = "oversampling"
OTHER_METRICS = {"average_precision": "average precision", "roc_auc": "ROC AUC", "mcc": "MCC"}


def write(page: Page, study: StudyResults) -> None:
    """Verdict, table, figures; for several tasks also a table of attributes."""
    frame = study.frame
    kept, few = complete_variants(frame)
    table = variant_table(kept)
    page.text("**Result.**", *verdict(study))
    if table.empty:
        return
    page.heading("Results")
    page.text(basis(table, few))
    _metrics_table(page, study, frame, table)
    _draw(page, study, frame, kept, table)
    if len(study.tasks) > 1:
        _by_attribute(page, study, frame)


@lru_cache(maxsize=64)
def differences_of(study: StudyResults) -> list[Difference]:
    """CLMLE minus every baseline of a study in balanced accuracy, the smallest first."""
    return all_differences(study.frame)


def verdict(study: StudyResults) -> list[str]:
    """Whether CLMLE is above every baseline, the strongest one, and the count of all."""
    frame = study.frame
    if OURS not in set(frame["variant"]):
        return [f"`{OURS}` has no result in this study yet."]
    found = differences_of(study)
    d = strongest_difference(frame, found)
    if d is None:
        return ["No baseline shares a task and seed with it yet."]
    means = variant_table(frame[frame["variant"].isin([OURS, d.second])])["balanced_accuracy"]
    return [
        _summary(study, found),
        f"Balanced accuracy {number(means[OURS])}; strongest baseline {d.second}, "
        f"{number(means[d.second])}: difference {points_text(d, bootstrap=True)}, better in "
        f"{d.won} of {counted(d.trials, 'trial')}.",
        _other_metrics(frame, d.second),
        diagnosis(frame, d),
        count(found),
        _incomplete(study, found),
    ]


def count(found: Sequence[Difference]) -> str:
    """How many baselines the interval puts CLMLE above, below, or neither."""
    above = sum(d.low is not None and d.low > 0 for d in found)
    below = sum(d.high is not None and d.high < 0 for d in found)
    return (
        f"Of {counted(len(found), 'baseline')}, the whole 95 % CI is above 0 for {above}, below 0 "
        f"for {below}, and neither for {len(found) - above - below}."
    )


def other_differences(frame: Any, baseline: str) -> dict[str, Difference]:
    """CLMLE minus the baseline in other metrics, for those that all their trials have."""
    two = frame[frame["variant"].isin([OURS, baseline])]
    known = {m: name for m, name in OTHER_METRICS.items() if two[m].notna().all()}
    found = {n: paired_difference(two, OURS, baseline, m, n_bootstrap=0) for m, n in known.items()}
    return {name: d for name, d in found.items() if d is not None}


def diagnosis(frame: Any, d: Difference) -> str:
    """Whether a stronger baseline ranks the images better, or only has better thresholds."""
    ranks = other_differences(frame, d.second).get("ROC AUC")
    if d.mean >= 0 or ranks is None:
        return ""
    if ranks.mean < 0:
        return f"{d.second} also ranks the images better (ROC AUC): thresholds alone are not why."
    return f"{d.second} ranks the images no better (ROC AUC): its thresholds are better."


def _summary(study: StudyResults, found: Sequence[Difference]) -> str:
    name = f"`{labeled(study, OURS)}`"
    if all(d.low is not None and d.low > 0 for d in found):
        return f"**{name} is above every baseline**; every 95 % CI excludes 0."
    if all(d.mean > 0 for d in found):
        return (
            f"**{name} has the highest mean, but is not certainly above every baseline**: some "
            "95 % CIs contain 0 or are missing."
        )
    return f"**{name} is not above every baseline.**"


def _other_metrics(frame: Any, baseline: str) -> str:
    parts = [f"{n} {difference_text(d)}" for n, d in other_differences(frame, baseline).items()]
    return f"In other metrics: {listed(parts)}." if parts else ""


def _incomplete(study: StudyResults, found: Sequence[Difference]) -> str:
    """Seeds still planned, and trials without a counterpart."""
    planned, have = STUDIES.get(study.name), len(study.seeds)
    text = ""
    if planned is not None and have < len(planned.seeds):
        text = f"{have} of the {len(planned.seeds)} planned seeds have results. "
    unused = sum(d.left_out for d in found)
    if unused:
        text += (
            f"Pairs use the trials that both have; over all pairs, {counted(unused, 'trial')} "
            "without a counterpart are left out."
        )
    return text.strip()


def _metrics_table(page: Page, study: StudyResults, frame: Any, table: Any) -> None:
    """Every metric of every variant, with CLMLE's difference to it."""
    costs = relative_cost(table)
    found = {d.second: d for d in differences_of(study)}
    rows = []
    for name, r in table.iterrows():
        rows.append(
            [
                emphasized(study, str(name)),
                with_spread(r["balanced_accuracy"], r["spread"]),
                difference_text(found.pop(name)) if name in found else "",
                *(number(r[m]) for m in OTHER_METRICS),
                *(number(r[m]) for m in ("recall_rarest", "recall_commonest")),
                number(r["seconds"], 1), costs[name],
            ]
        )  # fmt: skip
    page.table(
        [
            "method", "balanced accuracy", f"{OURS} minus it (95 % CI)",
            *OTHER_METRICS.values(), "recall, smallest class", "recall, largest class", "seconds",
            f"seconds / {PLAIN}",
        ],
        rows,
    )  # fmt: skip
    if found:
        rest = [f"{n} {points_text(d)} on {counted(d.trials, 'trial')}" for n, d in found.items()]
        page.text(f"{OURS} minus variants with fewer trials: {listed(rest)}.")


def relative_cost(table: Any) -> dict[str, str]:
    """Seconds relative to softmax, a dash without it."""
    if PLAIN not in table.index:
        return dict.fromkeys(table.index, "–")
    base = float(table.loc[PLAIN, "seconds"])
    return {n: number(s / base, 1) if base else "–" for n, s in table["seconds"].items()}


def _draw(page: Page, study: StudyResults, frame: Any, kept: Any, table: Any) -> None:
    means = seed_means(common_block(kept))
    order = list(table.index)
    figure = figures.leaderboard(
        {n: [float(v) for v in means.loc[n]] for n in order},
        {n: metric_interval(means.loc[n], "balanced_accuracy") for n in order},
        f"Balanced accuracy on {study.dataset}",
        highlight=[OURS],
    )
    text = "Circles: one seed, the mean over tasks; diamonds: mean and 95 % CI over seeds."
    page.figure(study.name, figure, study.caption(text))
    draw_differences(page, study, differences_of(study), f"{study.name}-differences")


def draw_differences(
    page: Page, study: StudyResults, found: Sequence[Difference], name: str,
    metric: str = "balanced accuracy",
) -> None:  # fmt: skip
    """CLMLE minus each baseline with its interval."""
    if not found:
        return
    figure = figures.differences(
        {d.second: (d.mean, d.low, d.high) for d in found},
        f"{OURS} minus each baseline on {study.dataset}",
        f"paired difference in {metric}, 95 % CI over seeds",
    )
    text = f"Right of zero `{labeled(study, OURS)}` is better. Each pair on the trials both have."
    page.figure(name, figure, study.caption(text))


def _by_attribute(page: Page, study: StudyResults, frame: Any) -> None:
    """Each attribute, and whether the gain grows with its imbalance."""
    have = set(frame["variant"])
    strongest = next(iter(baselines(frame)), None)
    compared = list(dict.fromkeys(b for b in (PLAIN, strongest) if b and b in have))
    gains = {b: gain_by_task(frame, OURS, b).set_index("task") for b in compared if OURS in have}
    gains = {b: g for b, g in gains.items() if len(g)}
    if not gains:
        return
    page.heading("By attribute")
    shown = list(dict.fromkeys(n for n in (PLAIN, SIMPLE, strongest, OURS) if n and n in have))
    means = frame.groupby(["task", "variant"])["balanced_accuracy"].mean().unstack("variant")
    minority = frame.groupby("task")["minority"].mean().sort_values(ascending=False, kind="stable")
    rows = [
        [
            task_label(task),
            f"{100 * fraction:.1f} %",
            *(number(means.loc[task, n]) for n in shown),
            *(_gain(g, task) for g in gains.values()),
        ]
        for task, fraction in minority.items()
    ]
    columns = [f"{OURS} minus {b} (95 % CI)" for b in gains]
    page.table(["attribute", "smallest class", *shown, *columns], rows)
    page.text(
        "Means use the seeds of each method, gains the seeds of both.",
        *(_correlation(b, g) for b, g in gains.items()),
    )
    figure = figures.gain_by_imbalance(
        {
            b: g.reset_index().assign(task=[task_label(t) for t in g.index])
            for b, g in gains.items()
        },
        f"Gain of {OURS} by imbalance of the attribute",
    )
    text = "Attributes with the fraction of their smallest class, most balanced on top (as Fig. 9)."
    page.figure(f"{study.name}-gain", figure, study.caption(text))


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
        f"Spearman correlation of the gain over {baseline} with the imbalance level: "
        f"{signed(rho, 2)} (p {'< 0.001' if p < 0.001 else f'= {number(p)}'}, "
        f"{counted(len(gains), 'attribute')})."
    )
