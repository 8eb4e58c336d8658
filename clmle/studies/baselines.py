"""CLMLE against the baselines of a study."""

from collections.abc import Iterable, Sequence
from typing import Any

import pandas

from clmle.studies.catalog import comparisons, preregistered
from clmle.studies.open_set_table import OPEN_SET_METRICS, open_set_frame
from clmle.studies.statistics import (
    Difference,
    complete_variants,
    paired_difference,
    variant_table,
)
from clmle.studies.study_results import FAMILY, OURS, StudyResults

OPEN_SET = "recognition"
OWN_PAGES = (OPEN_SET, "network-size")  # no comparisons of methods by balanced accuracy
COMPARED = {study.name for study in (*comparisons.STUDIES, *preregistered.STUDIES)} - {*OWN_PAGES}


def is_comparison(name: str) -> bool:
    """Whether a study compares CLMLE with baselines by balanced accuracy."""
    return name in COMPARED


def baselines(frame: Any) -> list[str]:
    """Variants of other methods than CLMLE, strongest first."""
    kept, _ = complete_variants(frame[~frame["method"].isin(FAMILY)])
    return list(variant_table(kept).index) if len(kept) else []


def all_differences(frame: Any, metric: str = "balanced_accuracy") -> list[Difference]:
    """CLMLE minus every baseline, the smallest difference first."""
    names = frame.loc[~frame["method"].isin(FAMILY), "variant"].unique()
    found = [paired_difference(frame, OURS, n, metric, n_bootstrap=0) for n in names]
    return sorted((d for d in found if d is not None), key=lambda d: (d.mean, d.second))


def strongest_difference(frame: Any, found: Sequence[Difference]) -> Difference | None:
    """Of the differences found, that to the baseline with the highest mean, with a bootstrap."""
    shared = [d.second for d in found]
    names = [n for n in baselines(frame) if n in shared] or shared
    return paired_difference(frame, OURS, names[0]) if names else None


def comparison_summary(studies: Iterable[StudyResults]) -> Any:
    """A row for each comparison: CLMLE minus the strongest baseline, with its interval."""
    rows = []
    for study in studies:
        if study.name == OPEN_SET:
            metric = OPEN_SET_METRICS["accuracy"]
            d = next(iter(all_differences(open_set_frame(study.summaries), "accuracy")), None)
        elif is_comparison(study.name):
            metric = "balanced accuracy"
            d = strongest_difference(study.frame, all_differences(study.frame))
        else:
            continue
        if d is not None:
            rows.append(
                {
                    "study": study.name, "title": study.title, "strongest baseline": d.second,
                    "metric": metric, "difference": d.mean, "low": d.low, "high": d.high,
                    "tasks": d.tasks, "seeds": d.seeds,
                }
            )  # fmt: skip
    return pandas.DataFrame(rows)
