"""Normalized softmax: softmax of cosines without a margin."""

from dataclasses import dataclass

from clmle.config import option
from clmle.methods._angular import AngularLoss
from clmle.methods._base import register
from clmle.methods.softmax import SamplingOptions


@dataclass(frozen=True)
class TemperatureOptions(SamplingOptions):
    """Options of normalized softmax."""

    temperature: float = option(0.1, "divisor of the cosines")


@register("normalized-softmax")
class NormalizedSoftmax(AngularLoss):
    """Softmax of the cosines between features and class weights.

    Zhai, Wu: Classification is a Strong Baseline for Deep Metric Learning (BMVC 2019).
    """

    title = "Normalized softmax"
    summary = "Softmax of cosines, without a margin."
    Options = TemperatureOptions
    library_loss = "NormalizedSoftmaxLoss"
    arguments = ("temperature",)
