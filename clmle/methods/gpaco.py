"""GPaCo: class centers take part in a supervised contrastive loss."""

from dataclasses import dataclass
from math import inf

import numpy as np
import torch.nn.functional as F

from clmle.config import option
from clmle.losses.gpaco import gpaco_loss
from clmle.methods._base import Batch, Loss, Outputs, register
from clmle.methods.softmax import Softmax


@dataclass(frozen=True)
class GPaCoOptions:
    """Options of generalized parametric contrastive learning."""

    alpha: float = option(
        0.01, "weight of a sample of the class next to that of its center, 1", bounds=(0, inf)
    )
    temperature: float = option(
        0.07, "temperature of the similarities of samples", bounds=(0, inf), above=True
    )


@register("gpaco")
class GPaCo(Softmax):
    """Contrastive loss among the samples of a batch and the classes of the linear head.

    The log prior is added to the logits of the classes, which alone predict. As in GPaCo there is
    no momentum encoder. What the paper adds is left out: a second view of each image, a queue of
    earlier features, and a projection head (the features themselves are compared).

    Cui and others: Generalized Parametric Contrastive Learning (TPAMI 2023).
    """

    group = "pairs and contrast"
    title = "GPaCo"
    summary = "Classes of a balanced softmax and the images of a batch in one contrastive loss."
    Options = GPaCoOptions

    def loss(self, outputs: Outputs, batch: Batch) -> Loss:
        o = self.options
        prior = self.per_class(np.log(self.class_proportions()), outputs.logits)
        unit = F.normalize(outputs.features, dim=1)
        loss = gpaco_loss(unit, outputs.labels, outputs.logits + prior, o.alpha, o.temperature)
        return Loss(loss, {"contrast": loss.detach()})
