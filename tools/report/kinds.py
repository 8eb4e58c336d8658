"""Studies with their own kind of page."""

from clmle.studies.catalog import tuning

TUNINGS = tuple(study.name for study in tuning.STUDIES)
