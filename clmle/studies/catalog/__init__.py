"""The studies of this project, by name; a study is added by adding it to one of these files."""

from __future__ import annotations

from clmle.errors import InputError
from clmle.studies.catalog.ablations import ABLATIONS
from clmle.studies.catalog.comparisons import COMPARISONS
from clmle.studies.catalog.preregistered import PREREGISTERED
from clmle.studies.catalog.sweeps import SWEEPS
from clmle.studies.catalog.tuning import TUNING
from clmle.studies.spec import Study

STUDIES: dict[str, Study] = {
    study.name: study for study in (*COMPARISONS, *PREREGISTERED, *TUNING, *ABLATIONS, *SWEEPS)
}


def get_study(name: str) -> Study:
    """The study called ``name``, or an InputError with the names of all."""
    if name not in STUDIES:
        raise InputError(f"There is no study {name!r}; choose one of: {', '.join(STUDIES)}.")
    return STUDIES[name]
