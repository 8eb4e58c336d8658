"""All tasks of all data sets at once: is the method above every rival on average over them?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from clmle.studies.statistics import Difference, common_block, paired_difference, trials_frame
from tools.report import secondary_metrics
from tools.report.markdown import Page, counted, difference_text, listed, number, signed
from clmle.studies.study_results import CONFIRMATIONS, FAMILY, OURS, Study

# Each task learned by itself, with several seeds: these may be averaged.
SETS = {
    "Decided beforehand: all tasks on other images": CONFIRMATIONS,
    "All tasks of all data sets at once": ("leaderboard", "digits", "solar-cells"),
}


def section(page: Page, studies: Sequence[Study]) -> None:
    """One table for each group over the tasks of every data set; none where there is only one."""
    for title, names in SETS.items():
        group(page, title, [s for s in studies if s.name in names and OURS in s.variants])


def group(page: Page, title: str, parts: Sequence[Study]) -> None:
    """The verdict over the tasks of these studies, and the table behind it."""
    if len(parts) < 2:
        return
    frame = combined(parts)
    found = differences(frame, [part.dataset for part in parts])
    if not found:
        return
    page.heading(title, 3)
    page.text(_verdict([d for d, _ in found]), *_basis(parts, [d for d, _ in found]))
    names = [part.dataset for part in parts]
    page.table(
        [
            "rival",
            "its mean",
            f"{OURS} on the same cells",
            "difference, 95 % interval over seeds",
            *(f"difference on {name}" for name in names),
            "mean over data sets",
            "cells",
        ],
        [_row(frame, d, each, names) for d, each in found],
    )
    page.text(
        "The same in other secondary_metrics, with which balanced accuracy could have been bought:"
    )
    page.table(
        ["rival", *secondary_metrics.OTHERS.values()],
        [[d.second, *secondary_metrics.row(frame, d.second)] for d, _ in found],
    )


def combined(parts: Sequence[Study]) -> Any:
    """Cells of all these studies, with the name of their data set."""
    import pandas

    frames = [trials_frame(part.summaries).assign(dataset=part.dataset) for part in parts]
    return pandas.concat(frames, ignore_index=True)


def differences(
    frame: Any, datasets: Sequence[str]
) -> list[tuple[Difference, dict[str, Difference]]]:
    """Ours against every rival that shares cells of each data set, the strongest first.

    The mean over all tasks, and beside it the same of every data set alone.
    """
    found = []
    baselines = frame.loc[~frame["method"].isin(FAMILY), "variant"].unique()
    for baseline in baselines:
        each = {
            name: paired_difference(part, OURS, baseline, n_bootstrap=0)
            for name, part in frame.groupby("dataset")
        }
        over_all = paired_difference(frame, OURS, baseline)
        if over_all is not None and all(each.get(name) is not None for name in datasets):
            found.append((over_all, {k: d for k, d in each.items() if d is not None}))
    return sorted(found, key=lambda pair: (pair[0].mean, pair[0].second))


def _verdict(found: Sequence[Difference]) -> str:
    behind = [d.second for d in found if d.mean <= 0]
    unsure = [d.second for d in found if d.mean > 0 and (d.low is None or d.low <= 0)]
    words = [f"behind {listed(behind)}"] if behind else []
    words += [f"not above {listed(unsure)} for certain"] if unsure else []
    if not words:
        words = ["above every rival in this table, each with its whole interval"]
    return f"**On average over all tasks `{OURS}` is {' and '.join(words)}.**"


def _basis(parts: Sequence[Study], found: Sequence[Difference]) -> list[str]:
    most = max(found, key=lambda d: d.trials)
    sets = listed([f"{part.dataset} ({counted(len(part.tasks), 'task')})" for part in parts])
    return [
        f"Every task counts alike: {sets}. {counted(most.tasks, 'task')} and "
        f"{counted(most.seeds, 'seed')} at most; only rivals that have cells of every data set, "
        "each pair on the cells both have. The last column but one counts every data set alike "
        "instead."
    ]


def _row(frame: Any, d: Difference, each: dict[str, Difference], names: Sequence[str]) -> list[str]:
    two = frame[frame["variant"].isin([d.first, d.second])]
    block = common_block(two).groupby("variant")["balanced_accuracy"].mean()
    return [
        d.second,
        number(block[d.second]),
        number(block[d.first]),
        difference_text(d),
        *(signed(each[name].mean) for name in names),
        signed(sum(each[name].mean for name in names) / len(names)),
        f"{d.trials}",
    ]
