"""CoCo (congenerous cosine) loss: softmax of cosines at a derived scale."""

from dataclasses import dataclass

from clmle.config import option
from clmle.losses.coco import coco_loss, coco_scale
from clmle.methods._base import Batch, Loss, Outputs, register
from clmle.methods._class_weights import ClassWeights
from clmle.methods.softmax import SamplingOptions


@dataclass(frozen=True)
class CoCoOptions(SamplingOptions):
    """Options of CoCo loss."""

    lower_bound: float = option(1e-4, "loss of perfect features, which determines the scale")


@register("coco")
class CoCo(ClassWeights):
    """Softmax of the cosines to class centroids; C determines the scale (Liu 2017, version 2)."""

    group = "margins and cosines"
    title = "CoCo loss"
    summary = "Softmax of the cosines to class centroids, at a derived scale."
    Options = CoCoOptions

    def loss(self, outputs: Outputs, batch: Batch) -> Loss:
        scale = coco_scale(self.n_classes, self.options.lower_bound)
        loss = coco_loss(outputs.features, outputs.labels, self.linear.weight, scale)
        return Loss(loss, {"cosine softmax": loss.detach()})
