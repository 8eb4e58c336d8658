"""Losses of pytorch-metric-learning on pairs or triplets of a batch."""

from typing import Any, ClassVar

import numpy as np

from clmle.classifiers._base import Classifier, Validation, best_classifier
from clmle.classifiers.knn import KNNClassifier
from clmle.methods._base import Batch, Loss, Outputs
from clmle.methods.softmax import SamplingOptions, Softmax


class PairLoss(Softmax):
    """Adapter; the classifier is k-NN, with k chosen on validation data."""

    group: ClassVar[str] = "pairs and contrast"
    Options: ClassVar[type] = SamplingOptions
    library_loss: ClassVar[str]
    arguments: ClassVar[tuple[str, ...]]
    miner: Any = None

    def build(self) -> None:
        self.criterion = self.make()

    def make(self) -> Any:
        """Return the loss of pytorch-metric-learning, and set ``miner`` if it needs one."""
        return named_loss(self)

    def loss(self, outputs: Outputs, batch: Batch) -> Loss:
        features, labels = outputs.features, outputs.labels
        mined = self.miner(features, labels) if self.miner is not None else None
        loss = self.criterion(features, labels, mined)
        return Loss(loss, {"pairs": loss.detach()})

    def needs_train_features(self) -> bool:
        return True

    def fit_classifier(self, train_features: np.ndarray, validation: Validation) -> Classifier:
        ks = (min(k, len(self.labels)) for k in (1, 5, 15, 31))
        classifiers = (KNNClassifier(train_features, self.labels, k, self.n_classes) for k in ks)
        return best_classifier(classifiers, validation)


def named_loss(method: Any, **sizes: int) -> Any:
    """The ``library_loss`` of a method, with those of its options that are ``arguments``."""
    from pytorch_metric_learning import losses

    given = {name: getattr(method.options, name) for name in method.arguments}
    return getattr(losses, method.library_loss)(**sizes, **given)
