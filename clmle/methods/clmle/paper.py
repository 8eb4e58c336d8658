"""CLMLE as the paper prints it: sums, no scale, planar margin bounds, printed prediction rule."""

import numpy as np

from clmle.config import Config
from clmle.margins import margin_bounds
from clmle.methods._base import register
from clmle.methods.clmle.method import CLMLE
from clmle.methods.clmle.options import CLMLEPaperOptions


@register("clmle-paper")
class CLMLEPaper(CLMLE):
    """Eqs. 6 to 10 and Fig. 4 as printed."""

    title = "CLMLE as printed"
    summary = (
        "Eqs. 6 to 10 as printed: sums, no scale, planar margin bounds, printed prediction rule."
    )
    Options = CLMLEPaperOptions

    @classmethod
    def preset(cls, config: Config, kind: str) -> Config:
        """The paper's settings for every kind of task."""
        return super(CLMLE, cls).preset(config, kind)

    def between_bound(self, dim: int) -> float:
        return float(margin_bounds(self.counts).between)

    def within_bounds(self) -> np.ndarray:
        return np.asarray(margin_bounds(self.counts).within)
