"""Common part of LMLE and magnet loss: batches of one cluster neighborhood, a vote of clusters."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from clmle.classifiers._base import Classifier, Validation, best_classifier, unit_rows
from clmle.classifiers.cluster_vote import ClusterVoteClassifier
from clmle.config import option
from clmle.methods._base import Batch
from clmle.methods._cluster_method import ClusterMethod


@dataclass(frozen=True)
class ClusterOptions:
    """Options of clusters and batches."""

    cluster_size: int = option(200, "l, samples per cluster")
    min_clusters: int = option(1, "smallest number of clusters of a class")
    clusters_per_batch: int = option(12, "clusters in a batch")
    samples_per_cluster: int = option(20, "samples of each cluster in a batch")
    same_class_clusters: int = option(6, "clusters of a batch that are of the query's class")


class ClusterBatches(ClusterMethod):
    """Cluster batches of section 3.3; the classifier is a vote of the nearest clusters."""

    Options: ClassVar[type] = ClusterOptions
    reads_any_batch: ClassVar[bool] = False  # the losses compare clusters of one batch
    vote: ClassVar[str] = "gaussian"
    query: ClassVar[str] = "hardest"

    def build(self) -> None:
        self.check_fit()  # no method has more images in a step than the others

    def sample_batch(self, step: int) -> Batch:
        clusters = self.neighborhood(self.generator(step), self.query)
        return Batch(clusters.indices, clusters)

    def fit_classifier(self, train_features: np.ndarray, validation: Validation) -> Classifier:
        unit = unit_rows(train_features)
        means = self.index.means(unit)
        squared = np.square(unit - means[self.index.assignment]).sum(axis=1)
        variance = float(squared.sum() / max(1, len(squared) - 1)) + 1e-12
        numbers = sorted({min(n, len(means)) for n in (1, 3, 5, 10, 20, 50, 100, 200)})
        classifiers = (
            ClusterVoteClassifier(
                means, self.index.classes, n, self.vote, variance, self.n_classes
            )
            for n in numbers
        )  # fmt: skip
        return best_classifier(classifiers, validation)
