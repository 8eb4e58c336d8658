"""Illustrated faces with labels right by construction: the data set that needs no download."""

from clmle.data.toonfaces.build import SIZES, load_toonfaces
from clmle.data.toonfaces.identities import (
    PEOPLE,
    RecognitionSet,
    load_toonfaces_identities,
    load_toonfaces_recognition,
)
from clmle.data.toonfaces.specs import ATTRIBUTES, RATES

__all__ = [
    "ATTRIBUTES",
    "PEOPLE",
    "RATES",
    "SIZES",
    "RecognitionSet",
    "load_toonfaces",
    "load_toonfaces_identities",
    "load_toonfaces_recognition",
]
