"""The page of an ablation: every variant and its difference to the reference."""

from collections.abc import Mapping

from clmle.studies import statistics
from clmle.studies.statistics import Difference, complete_variants, variant_table
from clmle.studies.study_figures import basis, study_figure
from clmle.studies.study_results import StudyResults
from clmle.text import counted, listed
from tools.report.markdown import Page, difference_text, number, points_text, with_spread
from tools.report.presets import labeled


def write(page: Page, study: StudyResults) -> None:
    """Verdict, table, and a figure that suits what was varied."""
    frame = study.frame
    kept, few = complete_variants(frame)
    table = variant_table(kept)
    if table.empty:
        page.text("The variants share no task and seed yet.")
        return
    page.text("**Result.**", verdict(study))
    page.heading("Results")
    page.text(basis(table, few))
    found, base = differences(study), study.reference
    rows = []
    for name in (n for n in study.variants if n in table.index):
        r = table.loc[name]
        rows.append(
            [
                f"**{labeled(study, name)}**" if name == base else labeled(study, name),
                with_spread(r["balanced_accuracy"], r["spread"]),
                "" if name == base else difference_text(found.get(name)),
                *(number(r[m]) for m in ("average_precision", "recall_rarest", "recall_commonest")),
                number(r["seconds"], 1),
            ]
        )
    page.table(
        [
            "variant", "balanced accuracy", f"minus {base} (95 % CI)", "average precision",
            "recall, smallest class", "recall, largest class", "seconds",
        ],
        rows,
    )  # fmt: skip
    varied = study.numeric_factor() or study.grid()
    drawn = study_figure(study, "varied" if varied else "seeds")
    page.figure(study.name, drawn.figure, drawn.caption)


def differences(study: StudyResults) -> Mapping[str, Difference]:
    """Each variant minus the reference."""
    base = study.reference
    return statistics.differences(study.frame, [n for n in study.variants if n != base], base)


def verdict(study: StudyResults) -> str:
    """Which variants are below or above the reference with their whole interval."""
    found, base = differences(study), labeled(study, study.reference)
    if not found:
        return f"No variant shares a trial with `{base}` yet."
    if all(d.low is None for d in found.values()):
        d = max(found.values(), key=lambda d: abs(d.mean))
        return (
            "No intervals: fewer than three seeds, or equal values. The largest difference to "
            f"`{base}` is that of {d.first}: {points_text(d)}."
        )
    below = [f"{n} {points_text(d)}" for n, d in found.items() if d.high is not None and d.high < 0]
    above = [f"{n} {points_text(d)}" for n, d in found.items() if d.low is not None and d.low > 0]
    left = len(found) - len(below) - len(above)
    parts = [f"Below `{base}`: {listed(below)}."] if below else []
    parts += [f"Above `{base}`: {listed(above)}."] if above else []
    if left:
        rest = "all variants" if left == len(found) else f"the other {counted(left, 'variant')}"
        parts.append(f"The 95 % CI of {rest} contains 0.")
    return " ".join(parts)
