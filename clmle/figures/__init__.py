"""Every figure, as a function of plain data; the app and the notebooks share them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clmle._lazy import load_lazily

if TYPE_CHECKING:
    from clmle.figures.ablation import factor_lines, one_factor, two_factors
    from clmle.figures.classes import class_counts, co_occurrence, long_tail, positive_rates
    from clmle.figures.comparison import SHOWN, comparison, confusion
    from clmle.figures.cost import cost_and_gain
    from clmle.figures.curves import loss_curves, recall_curves, validation_curves
    from clmle.figures.differences import differences
    from clmle.figures.embedding import OWN, embedding_map, embedding_scatter
    from clmle.figures.embedding_frames import embedding_frames
    from clmle.figures.gain import gain_by_imbalance
    from clmle.figures.identification import accuracy_by_images, cmc_curves, rank_one_by_distractors
    from clmle.figures.leaderboard import leaderboard
    from clmle.figures.margins import between_bounds, feasible_region, within_bounds
    from clmle.figures.pairs import pair_strip
    from clmle.figures.playground import playground_panels, playground_points, playground_spec
    from clmle.figures.ranking_curves import precision_recall_curves, roc_curves
    from clmle.figures.roc import roc, similarities, tar_by_far
    from clmle.figures.theme import title_of
    from clmle.figures.training import training_curves

__all__ = [
    "OWN",
    "SHOWN",
    "accuracy_by_images",
    "between_bounds",
    "class_counts",
    "cmc_curves",
    "co_occurrence",
    "comparison",
    "confusion",
    "cost_and_gain",
    "differences",
    "embedding_frames",
    "embedding_map",
    "embedding_scatter",
    "factor_lines",
    "feasible_region",
    "gain_by_imbalance",
    "leaderboard",
    "long_tail",
    "loss_curves",
    "one_factor",
    "pair_strip",
    "playground_panels",
    "playground_points",
    "playground_spec",
    "positive_rates",
    "precision_recall_curves",
    "rank_one_by_distractors",
    "recall_curves",
    "roc",
    "roc_curves",
    "similarities",
    "tar_by_far",
    "title_of",
    "training_curves",
    "two_factors",
    "validation_curves",
    "within_bounds",
]

load_lazily(__name__)
