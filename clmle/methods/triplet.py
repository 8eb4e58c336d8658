"""Triplet loss: Eqs. 1 and 2 of the CLMLE paper."""

from dataclasses import dataclass
from typing import Any

from clmle.config import option
from clmle.methods._base import register
from clmle.methods._pair_loss import PairLoss
from clmle.methods.softmax import SamplingOptions


@dataclass(frozen=True)
class TripletOptions(SamplingOptions):
    """Options of triplet loss."""

    margin: float = option(0.2, "g of Eq. 2, margin between squared distances of unit features")


@register("triplet")
class Triplet(PairLoss):
    """Triplet loss on semi-hard triplets with a k-NN classifier: Eqs. 1 and 2 of the CLMLE paper.

    With the squared distance D of unit features, an anchor a, a positive p of its class and a
    negative n of another class shall satisfy D(a, p) + g < D(a, n) (Eq. 1); the loss is the mean of

        max(0, g + D(a, p) - D(a, n))                                              (Eq. 2)

    over the triplets of the batch with D(a, p) < D(a, n) < D(a, p) + g.

    Section 3.1 of the paper, Eqs. 1 and 2; Schroff, Kalenichenko, Philbin: FaceNet: A Unified
    Embedding for Face Recognition and Clustering (CVPR 2015).
    """

    title = "Triplet + k-NN"
    summary = "Semi-hard triplets; classified by the nearest training images."
    Options = TripletOptions

    def make(self) -> Any:
        from pytorch_metric_learning.distances import LpDistance
        from pytorch_metric_learning.losses import TripletMarginLoss
        from pytorch_metric_learning.miners import TripletMarginMiner

        distance = LpDistance(power=2)
        self.miner = TripletMarginMiner(
            margin=self.options.margin, type_of_triplets="semihard", distance=distance
        )
        return TripletMarginLoss(margin=self.options.margin, distance=distance)
