"""Every method in as many settings, so that none owes its place to tuning."""

from __future__ import annotations

from clmle.studies.spec import Study
from clmle.studies.tuning import tuning_variants

TUNED = (
    Study(
        "tuning",
        "Every method in four settings",
        "Does the order hold when every method is tuned alike?",
        tuning_variants(),
        seeds=(0,),
    ),
    Study(
        "tuning-digits",
        "Every method in four settings",
        "Does the order hold when every method is tuned alike?",
        tuning_variants(split=-1),
        attributes=(),
        seeds=(5, 6, 7, 8, 9),  # others than those of the study digits
        ratios=(),
        dataset="digits",
    ),
)
