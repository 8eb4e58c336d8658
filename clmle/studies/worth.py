"""What a repair is worth: the method with all of them minus the one that lacks it."""

from __future__ import annotations

from clmle.studies.statistics import Difference, paired_difference, trials_frame
from tools.report.ablations import reference
from tools.report.study import Study


def worth(study: Study, variant: str, measure: str = "balanced_accuracy") -> Difference | None:
    """Figure of the study's reference minus that of ``variant``, which leaves one repair out.

    None where the study lacks either, or they share no task and seed.
    """
    base = reference(study) if study.summaries else ""
    if not {base, variant} <= set(study.variants) or base == variant:
        return None
    return paired_difference(trials_frame(study.summaries), base, variant, measure, n_bootstrap=0)
