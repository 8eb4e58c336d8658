"""Illustrated faces with labels right by construction: the data set that needs no download."""

from clmle.data.toonfaces.build import SIZES, is_rendering, load_toonfaces, rendered_faces
from clmle.data.toonfaces.identities import (
    PEOPLE,
    RecognitionSet,
    load_toonfaces_identities,
    load_toonfaces_recognition,
    plan_of,
)
from clmle.data.toonfaces.specs import ATTRIBUTES, RATES

__all__ = [
    "ATTRIBUTES",
    "PEOPLE",
    "RATES",
    "SIZES",
    "RecognitionSet",
    "is_rendering",
    "load_toonfaces",
    "load_toonfaces_identities",
    "load_toonfaces_recognition",
    "plan_of",
    "rendered_faces",
]
