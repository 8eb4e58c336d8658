"""Which kind of page a study has."""

from __future__ import annotations

from clmle.studies.catalog.comparisons import COMPARISONS
from clmle.studies.catalog.preregistered import PREREGISTERED
from clmle.studies.catalog.tuning import TUNING

OWN_PAGES = ("recognition", "network-size")
TUNINGS = tuple(study.name for study in TUNING)


def is_comparison(name: str) -> bool:
    """Whether a study compares CLMLE with baselines (not one with its own kind of page)."""
    return name not in OWN_PAGES and any(s.name == name for s in (*COMPARISONS, *PREREGISTERED))
