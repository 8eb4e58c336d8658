"""Which kind of page a study has."""

from clmle.studies.catalog import comparisons, preregistered, tuning

OWN_PAGES = ("recognition", "network-size")
TUNINGS = tuple(study.name for study in tuning.STUDIES)
COMPARED = {study.name for study in (*comparisons.STUDIES, *preregistered.STUDIES)} - {*OWN_PAGES}


def is_comparison(name: str) -> bool:
    """Whether a study compares CLMLE with baselines (not one with its own kind of page)."""
    return name in COMPARED
