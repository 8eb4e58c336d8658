"""Every figure, as a function of plain data; the app and the notebooks share them."""

from clmle.figures.classes import class_counts, long_tail, positive_rates
from clmle.figures.comparison import comparison, confusion
from clmle.figures.curves import loss_curves, recall_curves, validation_curves
from clmle.figures.embedding import embedding_scatter
from clmle.figures.margins import between_bounds, feasible_region, within_bounds

__all__ = [
    "between_bounds",
    "class_counts",
    "comparison",
    "confusion",
    "embedding_scatter",
    "feasible_region",
    "long_tail",
    "loss_curves",
    "positive_rates",
    "recall_curves",
    "validation_curves",
    "within_bounds",
]
