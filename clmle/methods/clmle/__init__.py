"""CLMLE: the corrected method ("clmle") and the method as printed ("clmle-paper")."""

from clmle.methods.clmle.method import CLMLE
from clmle.methods.clmle.options import CLMLEOptions, CLMLEPaperOptions
from clmle.methods.clmle.paper import CLMLEPaper

__all__ = ["CLMLE", "CLMLEOptions", "CLMLEPaper", "CLMLEPaperOptions"]
