"""The same tuning effort for every method: what each chose on validation images, and its test."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from clmle import figures
from clmle.studies.statistics import common_block, trials_frame, variant_table
from tools.report.markdown import Page, counted, number, with_spread
from clmle.studies.study_results import OURS, TUNINGS, Study
from tools.report.summary import all_differences


def section(page: Page, studies: Sequence[Study]) -> None:
    """A table and a figure for each study of tuning."""
    tunings = [s for s in studies if s.name in TUNINGS]
    if tunings:
        page.heading("The same tuning effort for all")
    for study in tunings:
        page.heading(f"{study.dataset}: {study.title}", 3)
        page.text(study.question)
        chosen = chosen_config(study)
        if chosen.empty:
            page.text("The methods share no task and seed yet.")
            continue
        _table(page, study, chosen)


def chosen_config(study: Study) -> Any:
    """One row a method: ``tries``, ``setting`` chosen on validation images, its test figures.

    Only cells that every try of every method has count; the first of equal settings is chosen.
    ``default`` is the test figure of the settings that the method is shipped with.
    """
    import pandas

    judged = common_block(trials_frame(study.summaries, "validation"))
    judged["method"] = judged["variant"].str.rsplit(", ", n=1).str[0]
    validation = judged.groupby("variant")["balanced_accuracy"].mean()
    test = variant_table(trials_frame(study.summaries))
    rows = []
    for method, tried in judged.groupby("method", sort=False):
        names = [n for n in study.variants if n in set(tried["variant"])]
        best = max(names, key=lambda n: validation[n])
        rows.append(
            {
                "method": method,
                "variant": best,
                "setting": best.removeprefix(f"{method}, "),
                "tries": len(names),
                "validation": validation[best],
                "default": test["balanced_accuracy"].get(f"{method}, default"),
                **test.loc[best],
            }
        )
    if not rows:
        return pandas.DataFrame()
    by = ["balanced_accuracy", "method"]
    return pandas.DataFrame(rows).sort_values(by, ascending=[False, True], ignore_index=True)


def _table(page: Page, study: Study, chosen: Any) -> None:
    tries = sorted(set(chosen["tries"]))
    effort = str(tries[0]) if len(tries) == 1 else f"{tries[0]} to {tries[-1]} (not finished)"
    page.text(
        f"Settings tried for each method: {effort}. The one with the highest mean on validation "
        f"images is judged on test images; {counted(len(study.tasks), 'task')}, "
        f"{counted(len(study.seeds), 'seed')}."
    )
    page.table(
        [
            "method", "setting chosen", "validation", "balanced accuracy, test", "as shipped",
            "average precision", "ROC AUC", "MCC",
        ],
        [
            [
                f"{place}. " + (f"**{r['method']}**" if r["method"] == OURS else r["method"]),
                r["setting"],
                number(r["validation"]),
                with_spread(r["balanced_accuracy"], r["spread"]),
                number(r["default"]),
                *(number(r[f]) for f in ("average_precision", "roc_auc", "mcc")),
            ]
            for place, (_, r) in enumerate(chosen.iterrows(), start=1)
        ],
    )  # fmt: skip
    if OURS not in set(chosen["method"]) or len(chosen) < 2:
        return
    frame = trials_frame(study.summaries)
    frame = frame[frame["variant"].isin(chosen["variant"])]
    frame = frame.assign(variant=frame["method"])
    figure = figures.differences(
        {d.second: (d.mean, d.low, d.high) for d in all_differences(frame)},
        f"{OURS} minus each rival on {study.dataset}, all tuned alike",
        "paired difference in balanced accuracy, 95 % interval over seeds",
    )
    caption = study.caption(f"Right of zero `{OURS}` is better; every setting chosen alike.")
    page.figure(f"{study.name}-differences", figure, caption)
