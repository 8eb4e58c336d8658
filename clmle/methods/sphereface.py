"""A-Softmax (SphereFace): Eq. 3 of the CLMLE paper."""

from dataclasses import dataclass

from clmle.config import option
from clmle.methods._angular import AngularMultiplier
from clmle.methods._base import register
from clmle.methods.l_softmax import LSoftmaxOptions


@dataclass(frozen=True)
class SphereFaceOptions(LSoftmaxOptions):
    """Options of A-Softmax."""

    scale: float = option(1.0, "s, multiplied by the length of the feature; 1 in the paper")


@register("sphereface")
class SphereFace(AngularMultiplier):
    """L-Softmax with class weights of unit length: Eq. 3 of the CLMLE paper.

    With the angle t_j between a feature z and the weights of class j, and its class y, the loss is

        -log( exp(|z| psi(t_y)) / (exp(|z| psi(t_y)) + sum_{j != y} exp(|z| cos t_j)) ),

    where psi(t) = (-1)^k cos(m t) - 2k for t in [k pi / m, (k + 1) pi / m]. During training psi is
    mixed with the plain cosine; see :class:`clmle.methods._angular.AngularMultiplier`.

    Section 3.1 of the paper, Eq. 3; Liu and others: SphereFace: Deep Hypersphere Embedding for Face
    Recognition (CVPR 2017), Eq. 7.
    """

    title = "A-Softmax (SphereFace)"
    summary = "L-Softmax with class weights of unit length."
    Options = SphereFaceOptions
    library_loss = "SphereFaceLoss"
    arguments = ("margin", "scale")
