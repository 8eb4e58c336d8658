"""The index of results, the main table that other documents include, and named numbers as JSON."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from clmle.studies.baselines import all_differences, is_comparison, strongest_difference
from clmle.studies.claims import PREREGISTERED
from clmle.studies.convergence import learning_curves
from clmle.studies.open_set_table import open_set_frame
from clmle.studies.statistics import Difference, common_block
from clmle.studies.study_results import OURS, StudyResults
from clmle.text import counted
from tools.report import ablation, aims, convergence, pooled, reproduction, tuning
from tools.report.comparison import differences_of
from tools.report.kinds import TUNINGS
from tools.report.markdown import Page, points, table
from tools.report.number_format import in_bfloat16
from tools.report.presets import labeled, preset_of

# Rows of the main table: a study, or a group of pooled ones; and what its data are.
MAIN = (
    ("leaderboard", "14 attributes of illustrated faces, one network each"),
    ("preregistered", "all 16 pre-registered tasks: faces, digits, photographs"),
    ("preregistered-solar-cells", "photographs of solar cells, pre-registered"),
    ("attributes", "14 attributes of illustrated faces, one network for all"),
)

LISTED = ("recognition", "imbalance")  # comparisons with their own kind of page


def write(page: Page, studies: Sequence[StudyResults]) -> None:
    """Main table and one line for each study."""
    page.text(
        "`make results` generates these pages from the results files next to them. Differences are "
        "paired: the same tasks and seeds for both, mean over tasks, then mean and 95 % t-interval "
        "over seeds. Intervals are not corrected for the number of baselines, and the strongest "
        "baseline is the one with the highest test mean. A *trial* is one training run."
    )
    aimed = aims.rows(studies)
    if aimed:
        page.text(
            "**What was aimed at**, in pre-registered studies and, for the ranks, on a level field:"
        )
        page.table(["aim", "measured (95 % CI)", "answer", "diagnosis"], aimed, texts=4)
    margin = reproduction.key_rows(studies)
    if margin:
        page.text(
            "**Eq. 9 itself**, pre-registered: the same sampler, classifier and calibration with "
            "and without it, difference in pp (95 % CI). "
            "[All claims of the paper](reproduction.md)."
        )
        page.table(["question", *PREREGISTERED], margin)
    if main_rows(studies):
        page.text("**CLMLE and the strongest baseline of each comparison**")
        page.blocks.append(main_table(studies))
    compared = [s for s in studies if is_comparison(s.name) or s.name in (*TUNINGS, *LISTED)]
    lines = [[_link(s), headline(s), f"{len(s.summaries):,}"] for s in compared]
    page.table(
        ["comparison", "result, balanced accuracy in pp (95 % CI)", "trials"], lines, texts=2
    )
    other = ", ".join(_link(s) for s in studies if s not in compared)
    if other:
        page.text(f"Components and parameters of CLMLE, and other studies: {other}.")
    total = sum(len(s.summaries) for s in studies)
    hours = sum(c["seconds"] for s in studies for c in s.summaries) / 3600
    page.text(
        f"In all {counted(total, 'trial')} and {hours:.1f} hours of training. "
        "[All tasks together](pooled.md); [ranks on a level field](level-field.md); "
        "[the paper's tables](paper.md)."
    )
    page.blocks.append("```{toctree}\n:hidden:\n:glob:\n\n*\n```")


def _link(study: StudyResults) -> str:
    return f"[{study.title}]({study.name}.md)"


def main_table(studies: Sequence[StudyResults]) -> str:
    """The main results as a Markdown table, with a note where number formats differ."""
    found = table(
        [
            "data (preset of CLMLE)", "seeds", "CLMLE, %", "strongest baseline, %",
            "difference in balanced accuracy, pp (95 % CI)",
        ],
        main_rows(studies),
    )  # fmt: skip
    notes = [
        f"Row {row}: {n} of {total} trials of {name} ran in bfloat16, those of CLMLE in float32."
        for row, (_, parts, d, _) in enumerate(_main(studies), start=1)
        for name, (n, total) in in_bfloat16(c for s in parts for c in s.summaries).items()
        if name == d.second
    ]
    margin = reproduction.key_sentence(studies)
    return "\n".join([found, *(f"\n*{note}*" for note in [*notes, margin] if note)])


def main_rows(studies: Sequence[StudyResults]) -> list[list[str]]:
    """The rows of the main table that have results."""
    return [
        [
            f"{text} ({preset_of(parts[0])} preset)", str(d.seeds), points(means[d.first], ""),
            f"{d.second}: {points(means[d.second], '')}", _interval(d),
        ]
        for text, parts, d, means in _main(studies)
    ]  # fmt: skip


def _main(
    studies: Sequence[StudyResults],
) -> list[tuple[str, list[StudyResults], Difference, Any]]:
    """Text, studies, difference and means of every row of the main table."""
    groups = [(text, _parts(name, studies)) for name, text in MAIN]
    return [
        (text, parts, *found) for text, parts in groups if parts and (found := _strongest(parts))
    ]


def headline(study: StudyResults) -> str:
    """The result of a study in a few words."""
    if study.name == "recognition":
        found = all_differences(open_set_frame(study.summaries), "accuracy")
        d = next(iter(found), None)
        return f"pair accuracy, {labeled(study, OURS)} minus {_short(d)}" if d else ""
    if study.name == "convergence":
        curves = learning_curves(study.summaries)
        return " ".join(convergence.compare(study, curves, convergence.levels(curves)[-1])[:1])
    if study.name in TUNINGS:
        found = tuning.tuned_differences(study, tuning.chosen_config(study))
        d = next(iter(found), None)
    elif is_comparison(study.name) or study.name == "imbalance":
        d = strongest_difference(study.frame, differences_of(study))
    else:
        found = list(ablation.differences(study).values())
        d = max(found, key=lambda d: abs(d.mean), default=None)
        base = labeled(study, study.reference)
        return f"largest difference to {base}: {d.first} {_interval(d)}" if d else ""
    return f"{labeled(study, OURS)} minus {_short(d)}" if d else ""


def _short(d: Difference) -> str:
    return f"{d.second}: {_interval(d)}"


def _interval(d: Difference) -> str:
    if d.low is None:
        return f"{points(d.mean)} ({counted(d.seeds, 'seed')})"
    return f"{points(d.mean)} ({points(d.low, '')} to {points(d.high, '')})"


def numbers(studies: Sequence[StudyResults]) -> str:
    """The numbers that documents quote, as JSON: by study, variant and metric."""
    tree: dict[str, Any] = {}
    for study in studies:
        found = (
            {d.second: d for d in differences_of(study)}
            if is_comparison(study.name)
            else dict(ablation.differences(study))
        )
        tree[study.name] = {"preset": preset_of(study), "seeds": len(study.seeds),
                            "tasks": len(study.tasks), "differences": _plain(found)}  # fmt: skip
    for group in pooled.GROUPS:
        found = {d.second: d for d, _ in pooled.differences(pooled.parts_of(group, studies))}
        if found:
            tree[f"pooled-{group}"] = {"differences": _plain(found)}
    return json.dumps(tree, indent=1) + "\n"


def _plain(found: Mapping[str, Difference]) -> dict[str, Any]:
    """Differences in percentage points with one decimal."""
    return {
        name: {
            "of": f"{d.first} minus {d.second}", "pp": points(d.mean), "low": points(d.low),
            "high": points(d.high), "seeds": d.seeds, "tasks": d.tasks,
        }
        for name, d in found.items()
    }  # fmt: skip


def _parts(name: str, studies: Sequence[StudyResults]) -> list[StudyResults]:
    if name in pooled.GROUPS:
        return pooled.parts_of(name, studies)
    return [s for s in studies if s.name == name and OURS in s.variants]


def _strongest(parts: Sequence[StudyResults]) -> tuple[Difference, Any] | None:
    """CLMLE minus the strongest baseline over these studies, and the means of both."""
    frame = pooled.combined(parts)
    if len(parts) > 1:
        found = pooled.differences(parts)
        d = found[0][0] if found else None
    else:
        d = strongest_difference(frame, differences_of(parts[0]))
    if d is None:
        return None
    block = common_block(frame[frame["variant"].isin([d.first, d.second])])
    per_seed = block.groupby(["variant", "seed"])["balanced_accuracy"].mean()
    return d, per_seed.groupby("variant").mean()
