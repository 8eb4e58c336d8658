"""Every figure, as a function of plain data; the app and the notebooks share them."""

from clmle.figures.ablation import factor_lines, one_factor, two_factors
from clmle.figures.classes import class_counts, long_tail, positive_rates
from clmle.figures.comparison import comparison, confusion
from clmle.figures.curves import loss_curves, recall_curves, validation_curves
from clmle.figures.differences import differences
from clmle.figures.embedding import embedding_scatter
from clmle.figures.gain import gain_by_imbalance
from clmle.figures.leaderboard import leaderboard
from clmle.figures.margins import between_bounds, feasible_region, within_bounds
from clmle.figures.sphere import sphere_panels, sphere_points, sphere_spec
from clmle.figures.training import training_curves

__all__ = [
    "between_bounds",
    "class_counts",
    "comparison",
    "confusion",
    "differences",
    "embedding_scatter",
    "factor_lines",
    "feasible_region",
    "gain_by_imbalance",
    "leaderboard",
    "long_tail",
    "loss_curves",
    "one_factor",
    "positive_rates",
    "recall_curves",
    "sphere_panels",
    "sphere_points",
    "sphere_spec",
    "training_curves",
    "two_factors",
    "validation_curves",
    "within_bounds",
]
