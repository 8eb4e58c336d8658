"""Methods as the imbalance of one training set is turned up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from clmle import figures
from clmle.experiments.page.markdown import Page, difference_text, with_spread
from clmle.experiments.page.ranking import basis
from clmle.experiments.page.study import OURS, Study
from clmle.experiments.page.verdict import rivals
from clmle.experiments.statistics import (
    cells_frame,
    common_block,
    complete_variants,
    paired_difference,
    variant_table,
)


def section(page: Page, studies: Sequence[Study]) -> None:
    """The study ``imbalance``, where it is."""
    for study in studies:
        if study.name == "imbalance":
            page.heading(study.title)
            page.text(study.question)
            _study(page, study)


def _study(page: Page, study: Study) -> None:
    frame = cells_frame(study.summaries)
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


def _spread(values: Any) -> str:
    return with_spread(float(values.mean()), float(values.std(ddof=1)))


def _against_strongest(frame: Any) -> str:
    """Ours against the rival with the highest mean at this ratio."""
    strongest = next(iter(rivals(frame)), None)
    d = strongest and paired_difference(frame, OURS, strongest)
    return f"{difference_text(d)}, {strongest}" if d else ""
