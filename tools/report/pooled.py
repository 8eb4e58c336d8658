"""The page of all tasks of all data sets together, for studies whose tasks can be averaged."""

from collections.abc import Sequence
from typing import Any

from clmle.studies.statistics import Difference, common_block, paired_difference
from clmle.studies.study_results import FAMILY, OURS, StudyResults
from clmle.text import counted, listed
from tools.report.comparison import OTHER_METRICS, other_differences
from tools.report.markdown import Page, difference_text, number, signed
from tools.report.presets import labeled

Found = list[tuple[Difference, dict[str, Difference]]]
# Each task learned by itself, with several seeds.
GROUPS = {
    "preregistered": (
        "Pre-registered tasks",
        ("preregistered-toonfaces", "preregistered-digits", "preregistered-solar-cells"),
    ),
    "all": ("Tasks that choices were made on", ("leaderboard", "digits", "solar-cells")),
}


def parts_of(group: str, studies: Sequence[StudyResults]) -> list[StudyResults]:
    """The studies of a group that have results of CLMLE; [] for fewer than two."""
    found = [s for s in studies if s.name in GROUPS[group][1] and OURS in s.variants]
    return found if len(found) > 1 else []


def write(page: Page, studies: Sequence[StudyResults]) -> None:
    """Two tables for each group: the differences, and the same in other metrics."""
    for group, (title, _) in GROUPS.items():
        parts = parts_of(group, studies)
        found = differences(parts)
        if not found:
            continue
        page.heading(title)
        page.text(_verdict(parts[0], [d for d, _ in found]), _basis(parts, found))
        frame, names = combined(parts), [part.dataset for part in parts]
        page.table(
            [
                "baseline", "balanced accuracy", f"{OURS}, same trials",
                f"{OURS} minus it (95 % CI)", *(f"on {name}" for name in names),
                "mean over data sets", "trials",
            ],
            [_row(frame, d, each, names) for d, each in found],
        )  # fmt: skip
        page.text("The same differences in other metrics:")
        rows = []
        for d, _ in found:
            other = other_differences(frame, d.second)
            rows.append(
                [d.second, *(difference_text(other.get(n)) for n in OTHER_METRICS.values())]
            )
        page.table(["baseline", *OTHER_METRICS.values()], rows)


def combined(parts: Sequence[StudyResults]) -> Any:
    """Trials of all these studies, with the name of their data set."""
    import pandas

    frames = [part.frame.assign(dataset=part.dataset) for part in parts]
    return pandas.concat(frames, ignore_index=True)


def differences(parts: Sequence[StudyResults]) -> Found:
    """CLMLE minus every baseline with trials of each data set: over all tasks, and of each set."""
    if not parts:
        return []
    frame, found = combined(parts), []
    for baseline in frame.loc[~frame["method"].isin(FAMILY), "variant"].unique():
        each = {
            name: paired_difference(part, OURS, baseline, n_bootstrap=0)
            for name, part in frame.groupby("dataset")
        }
        known = {name: d for name, d in each.items() if d is not None}
        over_all = paired_difference(frame, OURS, baseline)
        if over_all is not None and all(part.dataset in known for part in parts):
            found.append((over_all, known))
    return sorted(found, key=lambda pair: (pair[0].mean, pair[0].second))


def _verdict(part: StudyResults, found: Sequence[Difference]) -> str:
    below = [d.second for d in found if d.mean <= 0]
    unsure = [d.second for d in found if d.mean > 0 and (d.low is None or d.low <= 0)]
    words = [f"below {listed(below)}"] if below else []
    words += [f"not certainly above {listed(unsure)}"] if unsure else []
    if not words:
        words = ["above every baseline in this table, and every 95 % CI excludes 0"]
    return f"**Over all tasks, `{labeled(part, OURS)}` is {' and '.join(words)}.**"


def _basis(parts: Sequence[StudyResults], found: Found) -> str:
    most = max((d for d, _ in found), key=lambda d: d.trials)
    sets = listed([f"{part.dataset} ({counted(len(part.tasks), 'task')})" for part in parts])
    return (
        f"Every task has the same weight: {sets}; {counted(most.tasks, 'task')} and "
        f"{counted(most.seeds, 'seed')} at most. Only baselines with trials of every data set, "
        "each pair on the trials that both have."
    )


def _row(frame: Any, d: Difference, each: dict[str, Difference], names: Sequence[str]) -> list[str]:
    two = frame[frame["variant"].isin([d.first, d.second])]
    block = common_block(two).groupby("variant")["balanced_accuracy"].mean()
    return [
        d.second, number(block[d.second]), number(block[d.first]), difference_text(d),
        *(signed(each[name].mean) for name in names),
        signed(sum(each[name].mean for name in names) / len(names)), f"{d.trials}",
    ]  # fmt: skip
