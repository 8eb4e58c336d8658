"""What a repair is worth: the method with all of them minus the one that lacks it."""

from __future__ import annotations

from clmle.experiments.page.ablations import reference
from clmle.experiments.page.study import Study
from clmle.experiments.statistics import Difference, cells_frame, paired_difference


def worth(study: Study, variant: str, measure: str = "balanced_accuracy") -> Difference | None:
    """Figure of the study's reference minus that of ``variant``, which leaves one repair out.

    None where the study lacks either, or they share no task and seed.
    """
    base = reference(study) if study.summaries else ""
    if not {base, variant} <= set(study.variants) or base == variant:
        return None
    return paired_difference(cells_frame(study.summaries), base, variant, measure, n_bootstrap=0)
