"""Ablations as data: each study is one question, its variants, and what they are tried on."""

from clmle.studies.catalog.ablations import PARTS_OF_CLMLE
from clmle.studies.catalog.comparisons import RANKINGS
from clmle.studies.catalog.preregistered import CONFIRMATIONS
from clmle.studies.catalog.sweeps import ALONG
from clmle.studies.catalog.tuning import TUNED
from clmle.studies.spec import PARTS, Grid, Study, Tree, methods

__all__ = ["PARTS", "STUDIES", "Grid", "Study", "Tree", "methods"]

STUDIES = {
    study.name: study for study in (*RANKINGS, *CONFIRMATIONS, *TUNED, *PARTS_OF_CLMLE, *ALONG)
}
