"""Methods as the imbalance of one training set is turned up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from clmle import figures
from clmle.studies.statistics import (
    Difference,
    common_block,
    complete_variants,
    paired_difference,
    trials_frame,
    variant_table,
)
from tools.report.markdown import Page, counted, difference_text, listed, with_spread
from tools.report.ranking import basis
from clmle.studies.study_results import OURS, Study
from tools.report.summary import baselines


def section(page: Page, studies: Sequence[Study]) -> None:
    """The study ``imbalance``, where it is."""
    for study in studies:
        if study.name == "imbalance":
            page.heading(study.title)
            page.text(study.question)
            _study(page, study)


def _study(page: Page, study: Study) -> None:
    frame = trials_frame(study.summaries)
    kept, few = complete_variants(frame)
    table, block = variant_table(kept), common_block(kept)
    if block.empty:
        page.text("The methods share no cell yet.")
        return
    page.text(*basis(table, few))
    ratios = sorted(block["ratio"].unique())
    per_seed = block.groupby(["variant", "ratio", "seed"])["balanced_accuracy"].mean()
    rows = [
        [name, *(_spread(per_seed.loc[name, ratio]) for ratio in ratios)] for name in table.index
    ]
    differences = ["", *(_against_strongest(frame[frame["ratio"] == r]) for r in ratios)]
    if any(differences):
        rows.append([f"{OURS} minus the strongest rival there", *differences[1:]])
    page.table(["method", *(f"{r:g} : 1" for r in ratios)], rows)
    figure = figures.factor_lines(
        {n: {r: [float(v) for v in per_seed.loc[n, r]] for r in ratios} for n in table.index},
        "Balanced accuracy as imbalance grows",
        "largest over smallest training class",
    )
    caption = "Lines: mean over tasks and seeds; open marks: one seed."
    page.figure(study.name, figure, study.caption(caption))
    _gains(page, frame, [n for n in table.index if n in baselines(frame)], ratios)


def _gains(page: Page, frame: Any, names: Sequence[str], ratios: Sequence[float]) -> None:
    """How far ours is above every rival at each ratio, and where it is furthest above."""
    if OURS not in set(frame["variant"]) or not names or len(ratios) < 2:
        return
    by_ratio = [frame[frame["ratio"] == r] for r in ratios]
    found = {n: [paired_difference(f, OURS, n, n_bootstrap=0) for f in by_ratio] for n in names}
    found = {n: ds for n, ds in found.items() if any(ds)}  # those that share a cell with ours
    if not found:
        return
    most = {n: _largest(ds, ratios) for n, ds in found.items()}
    here = max(ratios)
    there = [n for n, r in most.items() if r == here]
    elsewhere = [f"{n} (at {r:g} : 1)" for n, r in most.items() if r != here]
    page.text(
        f"The gain of {OURS} is largest at the highest imbalance, {here:g} : 1, over "
        f"{len(there)} of {counted(len(found), 'rival')}"
        + (f"; not over {listed(elsewhere)}." if elsewhere else "."),
        f"{OURS} minus each rival, 95 % interval over seeds:",
    )
    page.table(
        ["rival", *(f"{r:g} : 1" for r in ratios)],
        [[n, *map(difference_text, ds)] for n, ds in found.items()],
    )


def _largest(differences: Sequence[Difference | None], ratios: Sequence[float]) -> float:
    """The ratio at which the mean difference is largest."""
    known = [(d.mean, r) for d, r in zip(differences, ratios, strict=True) if d is not None]
    return max(known)[1]


def _spread(values: Any) -> str:
    return with_spread(float(values.mean()), float(values.std(ddof=1)))


def _against_strongest(frame: Any) -> str:
    """Ours against the rival with the highest mean at this ratio."""
    strongest = next(iter(baselines(frame)), None)
    d = strongest and paired_difference(frame, OURS, strongest)
    return f"{difference_text(d)}, {strongest}" if d else ""
