"""Ablations as data: each study is one question, its variants, and what they are tried on."""

from clmle.experiments.studies.along import ALONG
from clmle.experiments.studies.confirmations import CONFIRMATIONS
from clmle.experiments.studies.parts import PARTS_OF_CLMLE
from clmle.experiments.studies.rankings import RANKINGS
from clmle.experiments.studies.study import PARTS, Grid, Study, Tree, methods
from clmle.experiments.studies.tuned import TUNED

__all__ = ["PARTS", "STUDIES", "Grid", "Study", "Tree", "methods"]

STUDIES = {
    study.name: study for study in (*RANKINGS, *CONFIRMATIONS, *TUNED, *PARTS_OF_CLMLE, *ALONG)
}
