"""Illustrated faces with labels that are correct by construction; no download."""

from clmle.data.toonfaces.build import SIZES, load_toonfaces
from clmle.data.toonfaces.identities import (
    load_toonfaces_identities,
    load_toonfaces_open_set,
)
from clmle.data.toonfaces.specs import ATTRIBUTES, RATES

__all__ = [
    "ATTRIBUTES",
    "RATES",
    "SIZES",
    "load_toonfaces",
    "load_toonfaces_identities",
    "load_toonfaces_open_set",
]
