"""Illustrated faces with labels right by construction: the data set that needs no download."""

from clmle.data.toonfaces.build import SIZES, is_rendering, load_toonfaces, rendered_faces
from clmle.data.toonfaces.looks import ATTRIBUTES, RATES

__all__ = ["ATTRIBUTES", "RATES", "SIZES", "is_rendering", "load_toonfaces", "rendered_faces"]
