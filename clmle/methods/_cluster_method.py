"""Base of methods with a cluster index: the index is built, refreshed and saved."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import torch

from clmle.classifiers._base import unit_rows
from clmle.cluster_index import ClusterIndex
from clmle.config import Config
from clmle.errors import InputError
from clmle.methods._base import Method
from clmle.samplers.cluster import ClusterBatch, ClusterSampler
from clmle.samplers.proportions import class_proportions


def as_it_is(index: ClusterIndex) -> ClusterIndex:
    """``index`` itself: the method of a single process does not share it."""
    return index


class ClusterMethod(Method):
    """A method with clusters; its options have ``cluster_size`` and ``min_clusters``.

    ``adopt`` converts every new index: to a :class:`DistributedIndex` where several processes share
    it, otherwise not at all.
    """

    group: ClassVar[str] = "clusters"
    uses_clusters: ClassVar[bool] = True
    options: Any
    index: ClusterIndex = None  # type: ignore[assignment]  # until the first round
    adopt: Callable[[ClusterIndex], ClusterIndex] = staticmethod(as_it_is)

    @classmethod
    def preset(cls, config: Config, kind: str) -> Config:
        """One cluster for each identity, as in the paper: most have fewer images than a cluster."""
        if kind != "open-set":
            return config
        return replace(config, options=replace(config.options, min_clusters=1))

    def start_round(
        self, round: int, features: np.ndarray | None, prior: np.ndarray | None = None
    ) -> None:
        assert features is not None
        o = self.options
        unit = unit_rows(features)
        if self.index is None:
            first = unit if prior is None else unit_rows(prior)
            empty = ClusterIndex.empty(self.labels, first.shape[1], o.cluster_size, o.min_clusters)
            self.index = self.adopt(empty)
            self.index.refresh(first, seed=self.seed, warm=False, device=self.device)
            if prior is not None:
                self.index.recenter(unit)
        else:
            self.index.refresh(unit, seed=self.seed, device=self.device)

    def check_fit(self) -> None:
        """Raise an error if the clusters of a neighborhood do not fit into a batch."""
        o = self.options
        if o.clusters_per_batch * o.samples_per_cluster > self.batch_size:
            raise InputError(
                f"{o.clusters_per_batch} clusters of {o.samples_per_cluster} samples do not fit "
                f"into a batch of {self.batch_size}; lower one of them or raise batch_size."
            )

    def neighborhood(self, generator: np.random.Generator, query: str) -> ClusterBatch:
        """Draw a query cluster and its nearest clusters (section 3.3)."""
        o = self.options
        sizes = o.clusters_per_batch, o.samples_per_cluster, o.same_class_clusters
        return ClusterSampler(self.index, *sizes, query).draw(generator)

    def class_proportions(self) -> np.ndarray:
        return class_proportions(self.counts)

    def assignment(self) -> np.ndarray | None:
        return None if self.index is None else self.index.assignment

    def state(self) -> dict[str, torch.Tensor]:
        return {} if self.index is None else self.index.state()

    def load_state(self, state: dict[str, torch.Tensor]) -> None:
        o = self.options
        self.index = type(self).index
        if state:
            self.index = self.adopt(
                ClusterIndex.from_state(self.labels, state, o.cluster_size, o.min_clusters)
            )
