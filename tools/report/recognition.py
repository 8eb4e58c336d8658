"""The page of unseen identities: verification and identification by every method."""

from typing import Any

from clmle.studies.baselines import all_differences
from clmle.studies.open_set_table import OPEN_SET_METRICS, open_set_frame, open_set_table
from clmle.studies.statistics import complete_variants
from clmle.studies.study_results import OURS, StudyResults
from tools.report.comparison import count, draw_differences
from tools.report.markdown import Page, number, points_text, with_spread
from tools.report.presets import emphasized, labeled

COMPARED = ("accuracy", "rank_one")


def write(page: Page, study: StudyResults) -> None:
    """Verdict by two metrics, table of all, figures of differences."""
    frame, few = complete_variants(open_set_frame(study.summaries))
    if frame.empty:
        page.text("No trial was evaluated on unseen identities yet.")
        return
    page.text("**Result.**", *(verdict(study, frame, metric) for metric in COMPARED))
    page.heading("Results")
    page.text(
        "Each network learns identities and is evaluated on others: ten folds of pairs (the "
        "protocol of LFW), and every image among distractors (that of MegaFace). ± is the standard "
        "deviation over seeds. Known identities: accuracy on held-out images of those with fewest "
        "(tail) and most (head) training images, by each method's own classifier.",
        f"Not in the table, with too few trials: {', '.join(sorted(few))}." if few else "",
    )
    rows = []
    for name, r in open_set_table(frame).iterrows():
        values = (number(r[m]) for m in list(OPEN_SET_METRICS)[1:])
        rows.append(
            [
                emphasized(study, str(name)),
                with_spread(r["accuracy"], r["spread"]),
                *values,
            ]
        )
    page.table(["method", *OPEN_SET_METRICS.values()], rows)
    for metric in COMPARED:
        found = all_differences(frame, metric)
        name = f"{study.name}-{metric.replace('_', '-')}"
        draw_differences(page, study, found, name, OPEN_SET_METRICS[metric])


def verdict(study: StudyResults, frame: Any, metric: str) -> str:
    """Whether CLMLE is above every baseline by one metric, and the strongest baseline."""
    if OURS not in set(frame["variant"]):
        return f"`{OURS}` has no result here yet."
    known = all_differences(frame, metric)
    if not known:
        return ""
    worst = known[0]
    words = "is not above every baseline" if worst.mean <= 0 else "has the highest mean"
    return (
        f"By {OPEN_SET_METRICS[metric]}, **`{labeled(study, OURS)}` {words}**; difference to the "
        f"strongest, {worst.second}: {points_text(worst)}. {count(known)}"
    )
