"""Multi-similarity loss."""

from dataclasses import dataclass
from typing import Any

from clmle.config import option
from clmle.methods._base import register
from clmle.methods._pair_loss import PairLoss
from clmle.methods.softmax import SamplingOptions


@dataclass(frozen=True)
class MultiSimilarityOptions(SamplingOptions):
    """Options of multi-similarity loss."""

    alpha: float = option(2.0, "exponent factor of positive pairs")
    beta: float = option(50.0, "exponent factor of negative pairs")
    base: float = option(0.5, "similarity threshold between positive and negative pairs")
    epsilon: float = option(0.1, "tolerance of the selection of informative pairs")


@register("multi-similarity")
class MultiSimilarity(PairLoss):
    """Pairs weighted by their own similarity and relative to other pairs; k-NN classifier.

    Wang and others: Multi-Similarity Loss with General Pair Weighting for Deep Metric Learning
    (CVPR 2019).
    """

    title = "Multi-similarity + k-NN"
    summary = "Pairs weighted by their own and by relative similarity."
    Options = MultiSimilarityOptions

    def make(self) -> Any:
        from pytorch_metric_learning.losses import MultiSimilarityLoss
        from pytorch_metric_learning.miners import MultiSimilarityMiner

        o = self.options
        self.miner = MultiSimilarityMiner(o.epsilon)
        return MultiSimilarityLoss(o.alpha, o.beta, o.base)
