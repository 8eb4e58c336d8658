"""The page of methods at several imbalance ratios of the same training set."""

from collections.abc import Sequence
from typing import Any

from clmle.studies.statistics import (
    Difference,
    common_block,
    complete_variants,
    paired_difference,
    variant_table,
)
from clmle.studies.study_figures import basis, study_figure
from clmle.studies.study_results import OURS, StudyResults
from clmle.text import counted, listed
from tools.report.comparison import baselines
from tools.report.markdown import Page, difference_text, with_spread
from tools.report.presets import labeled


def write(page: Page, study: StudyResults) -> None:
    """Balanced accuracy at every ratio, and CLMLE's difference to every baseline."""
    frame = study.frame
    kept, few = complete_variants(frame)
    table, block = variant_table(kept), common_block(kept)
    if block.empty:
        page.text("The methods share no trial yet.")
        return
    ratios = sorted(block["ratio"].unique())
    names = [n for n in table.index if n in baselines(frame)]
    gains = _gains(frame, names, ratios)
    if gains:
        page.text("**Result.**", where_largest(study, gains, ratios))
    page.heading("Results")
    page.text(basis(table, few))
    per_seed = block.groupby(["variant", "ratio", "seed"])["balanced_accuracy"].mean()
    rows = [
        [labeled(study, name), *(_spread(per_seed.loc[name, r]) for r in ratios)]
        for name in table.index
    ]
    columns = [f"{r:g} : 1" for r in ratios]
    page.table(["balanced accuracy", *columns], rows)
    strongest = [_to_strongest(frame[frame["ratio"] == r]) for r in ratios]
    if gains:
        rows = [[n, *map(difference_text, ds)] for n, ds in gains.items()]
        page.table([f"{OURS} minus, 95 % CI", *columns], [*rows, ["strongest there", *strongest]])
    drawn = study_figure(study, "ratio")
    page.figure(study.name, drawn.figure, drawn.caption)


def where_largest(
    study: StudyResults,
    gains: dict[str, list[Difference | None]],
    ratios: Sequence[float],
) -> str:
    """Over how many baselines the gain is largest at the highest ratio."""
    most = {
        n: max((d.mean, r) for d, r in zip(ds, ratios, strict=True) if d is not None)[1]
        for n, ds in gains.items()
    }
    top = max(ratios)
    there = sum(r == top for r in most.values())
    elsewhere = [f"{n} (at {r:g} : 1)" for n, r in most.items() if r != top]
    return (
        f"The gain of `{labeled(study, OURS)}` is largest at the highest ratio, {top:g} : 1, over "
        f"{there} of {counted(len(gains), 'baseline')}"
        + (f"; not over {listed(elsewhere)}." if elsewhere else ".")
    )


def _gains(
    frame: Any, names: Sequence[str], ratios: Sequence[float]
) -> dict[str, list[Difference | None]]:
    """CLMLE minus every baseline that shares a trial with it, at each ratio."""
    if OURS not in set(frame["variant"]) or len(ratios) < 2:
        return {}
    by_ratio = [frame[frame["ratio"] == r] for r in ratios]
    found = {n: [paired_difference(f, OURS, n, n_bootstrap=0) for f in by_ratio] for n in names}
    return {n: ds for n, ds in found.items() if any(ds)}


def _spread(values: Any) -> str:
    return with_spread(float(values.mean()), float(values.std(ddof=1)))


def _to_strongest(frame: Any) -> str:
    """CLMLE minus the baseline with the highest mean at this ratio."""
    strongest = next(iter(baselines(frame)), None)
    d = strongest and paired_difference(frame, OURS, strongest)
    return f"{difference_text(d)}, {strongest}" if d else ""
