"""CLMLE: the corrected method ("clmle") and the method as printed ("clmle-paper")."""

from typing import TYPE_CHECKING

from clmle._lazy import load_lazily

if TYPE_CHECKING:
    from clmle.methods.clmle.method import CLMLE
    from clmle.methods.clmle.options import CLMLEOptions, CLMLEPaperOptions
    from clmle.methods.clmle.paper import CLMLEPaper

load_lazily(__name__)
