"""Whether the method is above its rivals: said from the numbers, defeats by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from clmle.studies.catalog import STUDIES
from clmle.studies.statistics import (
    Difference,
    complete_variants,
    paired_difference,
    trials_frame,
    variant_table,
)
from tools.report import pooled, secondary_metrics
from tools.report.markdown import Page, counted, interval, listed, number, signed
from clmle.studies.study_results import CONFIRMATIONS, FAMILY, OURS, RANKINGS, SCARCE, Study

SHOWN = 12  # rivals not beaten that are listed; the forest plot shows all


def section(page: Page, studies: Sequence[Study]) -> None:
    """One paragraph and list for every ranking there is."""
    page.heading("Is CLMLE above every rival?")
    rankings = [s for s in studies if s.name in RANKINGS]
    if not rankings:
        page.text("No comparison of methods has been run yet, so nothing can be said.")
        return
    anew = [s for s in rankings if s.values("data.split") == [-1]]
    sets = [s.dataset for s in anew if s.name not in (*CONFIRMATIONS, SCARCE)]
    split = listed(sets + ["all that was decided beforehand"] * (len(anew) > len(sets)))
    page.text(
        "Figures are balanced accuracy on test images, the mean over tasks, then over seeds.",
        "A difference is paired: the same tasks and seeds for both, the mean over tasks of each "
        "seed, then mean and 95 % t-interval over seeds. A seed draws weights and batches anew"
        f"{f', and of {split} its own test images' if split else ''}; "
        f"{'elsewhere ' if split else ''}test images stay the same, so intervals say nothing about "
        "other images. They are not corrected for the number of rivals, and the strongest rival is "
        "picked by the test figures themselves, which favors it.",
    )
    pooled.section(page, rankings)
    for study in rankings:
        page.heading(f"{study.dataset}: {study.title}", 3)
        page.text(*sentences(study))
        page.items(not_beaten(study))


def baselines(frame: Any) -> list[str]:
    """Variants of other methods, strongest first."""
    kept, _ = complete_variants(frame[~frame["method"].isin(FAMILY)])
    return list(variant_table(kept).index) if len(kept) else []


def all_differences(frame: Any) -> list[Difference]:
    """Ours against every variant of another method, the least won first."""
    names = frame.loc[~frame["method"].isin(FAMILY), "variant"].unique()
    found = [paired_difference(frame, OURS, n) for n in names]
    return sorted((d for d in found if d is not None), key=lambda d: (d.mean, d.second))


def sentences(study: Study) -> list[str]:
    """The verdict, the strongest rival, the count, and what it rests on."""
    frame = trials_frame(study.summaries)
    found = all_differences(frame)
    if OURS not in set(frame["variant"]):
        return [f"`{OURS}` has no result in this study yet."]
    if not found:
        return ["No rival shares a task and seed with it yet."]
    lines = [_verdict(found)]
    strongest = baselines(frame)[0]
    d = next((d for d in found if d.second == strongest), found[0])
    means = variant_table(frame[frame["variant"].isin([OURS, d.second])])["balanced_accuracy"]
    lines.append(
        f"Mean balanced accuracy {number(means[OURS])}; strongest rival {d.second} with "
        f"{number(means[d.second])}: difference {_with_interval(d, redrawn=True)}, "
        f"{d.won} of {counted(d.trials, 'cell')} (task and seed) won."
    )
    lines += [secondary_metrics.sentence(frame, d.second), secondary_metrics.diagnosis(frame, d)]
    above = sum(d.low is not None and d.low > 0 for d in found)
    below = sum(d.high is not None and d.high < 0 for d in found)
    lines.append(
        f"Of {counted(len(found), 'rival')} it is above {above} with the whole interval, "
        f"below {below}, and undecided against {len(found) - above - below}."
    )
    lines.append(
        f"{_seeds(study)} ({listed(study.seeds)}), "
        f"{counted(len(study.tasks), 'task')} ({listed([short(t) for t in study.tasks])}); "
        f"{study.budget()}."
    )
    unused = sum(d.left_out for d in found)
    if unused:
        lines.append(
            f"In pairs where one side lacks cells, those both have were used; over all pairs "
            f"{counted(unused, 'cell was', 'cells were')} left out."
        )
    return lines


def not_beaten(study: Study) -> list[str]:
    """A line for every rival whose difference is not above 0 with its whole interval."""
    found = all_differences(trials_frame(study.summaries))
    most = max((d.trials for d in found), default=0)
    lost = [d for d in found if d.low is None or d.low <= 0]
    lines = [
        f"{'does not beat' if d.mean <= 0 or d.low is not None else 'one seed against'} "
        f"{d.second}: difference {_with_interval(d)}"
        f"{'' if d.trials == most else f', on only {d.trials} of {most} cells'}"
        for d in lost[:SHOWN]
    ]
    if len(lost) > SHOWN:
        lines.append(f"nor {len(lost) - SHOWN} more, all in the figure of paired differences")
    return lines


def short(task: str) -> str:
    """toonfaces/Pale_Skin as Pale Skin."""
    return task.rsplit("/", 1)[-1].replace("_", " ")


def _seeds(study: Study) -> str:
    """Their number, beside the number planned where some are still to come."""
    planned, have = STUDIES.get(study.name), len(study.seeds)
    if planned is None or have >= len(planned.seeds):
        return counted(have, "seed")
    return f"{have} of the {len(planned.seeds)} seeds planned"


def _verdict(found: Sequence[Difference]) -> str:
    if all(d.low is not None and d.low > 0 for d in found):
        return f"**`{OURS}` is above every rival**, each with its whole interval."
    if all(d.mean > 0 for d in found):
        return (
            f"**`{OURS}` has the highest mean, but is not above every rival for certain**: "
            "some intervals hold 0 or are missing."
        )
    return f"**`{OURS}` is not above every rival.**"


def _with_interval(d: Difference, *, redrawn: bool = False) -> str:
    if d.low is None:
        return f"{signed(d.mean)} ({interval(d.low, d.high)})"
    more = f"; tasks and seeds redrawn: {interval(*d.bootstrap)}" if redrawn and d.bootstrap else ""
    return f"{signed(d.mean)} (95 % interval {interval(d.low, d.high)}{more})"
