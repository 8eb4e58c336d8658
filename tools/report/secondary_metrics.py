"""Whether balanced accuracy was bought with other measures: the same differences in those."""

from __future__ import annotations

from typing import Any

from clmle.studies.statistics import Difference, paired_difference
from tools.report.markdown import difference_text, listed
from clmle.studies.study_results import OURS

OTHERS = {"average_precision": "average precision", "roc_auc": "ROC AUC", "mcc": "MCC"}


def elsewhere(frame: Any, baseline: str) -> dict[str, Difference]:
    """Ours minus the rival's by the name of each other measure, on the cells both have.

    A measure that some of those cells lack is left out.
    """
    two = frame[frame["variant"].isin([OURS, baseline])]
    known = {m: name for m, name in OTHERS.items() if two[m].notna().all()}
    found = {n: paired_difference(two, OURS, baseline, m, n_bootstrap=0) for m, n in known.items()}
    return {name: d for name, d in found.items() if d is not None}


def sentence(frame: Any, baseline: str) -> str:
    """The difference to a rival there; nothing where no other measure is known."""
    parts = [f"{name} {difference_text(d)}" for name, d in elsewhere(frame, baseline).items()]
    return f"The same difference in {listed(parts)}." if parts else ""


def diagnosis(frame: Any, d: Difference) -> str:
    """Of a rival with the higher mean: does it rank the images better, or only divide them better?

    ROC AUC is blind to where the line between two classes is drawn.
    """
    ranks = elsewhere(frame, d.second).get("ROC AUC")
    if d.mean >= 0 or ranks is None:
        return ""
    if ranks.mean < 0:
        return (
            f"On average {d.second} ranks the images better too: its lead is not only a matter of "
            "where it draws the line between classes."
        )
    return (
        f"On average {d.second} ranks the images no better: its lead is a matter of where it "
        "draws the line between classes."
    )


def row(frame: Any, baseline: str) -> list[str]:
    """A cell for each other measure, of a table."""
    found = elsewhere(frame, baseline)
    return [difference_text(found.get(name)) for name in OTHERS.values()]
