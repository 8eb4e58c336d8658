"""Any method for many attributes at once: one head each on a shared network.

A batch is drawn for one attribute, its *query*, which is another one every step, the way the
method draws for a single task. The query's head learns from it as it is. So do the others where
the method's loss corrects for the shares of the classes; for any other method the same images are
drawn again within the batch (features only, no image is seen twice by the network) so that a
head's classes come in the shares in which its own method would have drawn them. Images of which a
head knows nothing are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from clmle.classifiers._base import Classifier, restore_classifier, stored_as
from clmle.data.multilabel import MultiTask
from clmle.methods._base import Batch, HeadStack, Loss, Method, Outputs
from clmle.methods.cluster_method import ClusterMethod, as_it_is
from clmle.samplers.proportions import apportion
from clmle.threads import one_thread_each

CLOSE = 0.05  # shares of classes that differ by less count as the same


@dataclass(frozen=True)
class Shared:
    """What a batch is to every head: drawn in ``step`` for the attribute ``query``."""

    step: int
    query: int
    query_batch: Batch


class MultiLabel:
    """A method for each attribute of a task, with the hooks of a single :class:`Method`.

    Features are z (B, A, d), logits (B, A, 2), labels (B, A) with -1 for unknown.
    """

    def __init__(
        self,
        kind: type[Method],
        options: Any,
        task: MultiTask,
        batch_size: int,
        seed: int,
        feature_dim: int = 64,
    ) -> None:
        self.attributes = task.attributes
        self.labels = task.labels[task.train]
        self.seed = seed
        self.known = [np.flatnonzero(self.labels[:, a] >= 0) for a in range(len(task.attributes))]
        # Position of a training image among those that an attribute is known of.
        self.place = []
        for rows in self.known:
            place = np.full(len(self.labels), -1, dtype=np.int64)
            place[rows] = np.arange(len(rows))
            self.place.append(place)
        self.heads = [kind(options, one, batch_size, seed, feature_dim) for one in task.tasks]
        self.modules = nn.ModuleDict({str(a): head.modules for a, head in enumerate(self.heads)})
        self.natural = np.stack([head.counts / head.counts.sum() for head in self.heads])
        self.stack: HeadStack | None = None
        self.uses_clusters = kind.uses_clusters

    def on_validation(self, metrics: Mapping[str, Any]) -> None:
        """Each head is told of its own attribute, from ``attributes`` by name."""
        for name, head in zip(self.attributes, self.heads, strict=True):
            own = metrics["attributes"].get(name)
            if own is not None:
                head.on_validation(own)

    # --- options ------------------------------------------------------------------------

    @property
    def options(self) -> Any:
        return self.heads[0].options

    @options.setter
    def options(self, options: Any) -> None:
        for head in self.heads:
            head.options = options
        self._stack()

    def margin_candidates(self) -> list[Any]:
        """As for the first attribute: shares of bounds, which every head turns into its own a1."""
        return self.heads[0].margin_candidates()

    def margins(self, dim: int) -> Any:
        return self.heads[0].margins(dim)  # type: ignore[attr-defined]

    def needs_train_features(self) -> bool:
        return self.heads[0].needs_train_features()

    # --- batches and loss ---------------------------------------------------------------

    def sample_batch(self, step: int) -> Batch:
        query = step % len(self.heads)
        own = self.heads[query].sample_batch(step)
        return Batch(self.known[query][own.indices], Shared(step, query, own))

    def augment(self, images: torch.Tensor, batch: Batch, step: int) -> torch.Tensor:
        shared: Shared = batch.extra
        return self.heads[shared.query].augment(images, shared.query_batch, step)

    def loss(self, outputs: Outputs, batch: Batch) -> Loss:
        """Sum over the heads that learn something from the batch."""
        shared: Shared = batch.extra
        if self.stack is not None:
            places = np.stack([place[batch.indices] for place in self.place], axis=1)
            shares = self.natural.copy()
            shares[shared.query] = self.heads[shared.query].class_proportions()
            return self.stack.loss(outputs, places, shares)
        losses = []
        for a, head in enumerate(self.heads):
            mine, part = np.arange(len(batch.indices)), shared.query_batch
            if a != shared.query:
                if not head.reads_any_batch:
                    continue
                mine, drawn = self._seen(a, batch.indices, shared)
                if len(mine) == 0:
                    continue
                part = Batch(self.place[a][batch.indices[mine]], class_proportions=drawn)
            pick = torch.from_numpy(mine).to(outputs.features.device)
            seen = Outputs(
                outputs.features[pick, a],
                outputs.logits[pick, a],
                outputs.labels[pick, a],
                outputs.progress,
            )
            losses.append(head.loss(seen, part))
        # A mean would leave each head a fraction of the steps that it takes alone.
        total = torch.stack([loss.total for loss in losses]).sum()
        parts = {
            name: torch.stack([loss.parts[name] for loss in losses if name in loss.parts]).mean()
            for name in dict.fromkeys(name for loss in losses for name in loss.parts)
        }
        return Loss(total, parts)

    def _seen(
        self, a: int, rows: np.ndarray, shared: Shared
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Places in the batch that head ``a`` learns from, and the shares of its classes there.

        A loss that corrects for the shares takes the images as they come: what is in them, not
        their labels of ``a``, had them drawn, so that its classes are as likely as in all images.
        For any other the images are drawn again in the shares that its method would have drawn.
        """
        labels = self.labels[rows, a]
        known = np.flatnonzero(labels >= 0)
        head = self.heads[a]
        wanted, natural = head.class_proportions(), self.natural[a]
        if head.corrects_proportions:
            return known, natural
        if np.abs(wanted - natural).max() < CLOSE or len(np.unique(labels[known])) < 2:
            return known, None
        rng = np.random.default_rng([self.seed, shared.step, 4, a])
        picked = []
        for c, count in enumerate(apportion(wanted, len(known), rng)):
            members = known[labels[known] == c]
            picked.append(rng.choice(members, count, replace=count > len(members)))
        return np.concatenate(picked), None

    # --- rounds and rules ---------------------------------------------------------------

    def start_round(
        self, round: int, features: np.ndarray | None, prior: np.ndarray | None = None
    ) -> None:
        def start(a: int) -> None:
            mine = None if features is None else features[self.known[a], a]
            first = None if prior is None else prior[self.known[a]]
            self.heads[a].start_round(round, mine, first)

        # Clusters of one head have nothing to do with those of another; but processes that share
        # an index take their turns at every head's in the same order.
        if all(isinstance(head, ClusterMethod) and head.adopt is as_it_is for head in self.heads):
            with one_thread_each(torch.get_num_threads()) as pool:
                list(pool.map(start, range(len(self.heads))))
        else:
            for a in range(len(self.heads)):
                start(a)
        self._stack()

    def _stack(self) -> None:
        """One loss for all heads, where their method has it."""
        self.stack = type(self.heads[0]).stack_heads(self.heads)

    def fit_classifier(
        self,
        train_features: np.ndarray,
        validation: tuple[np.ndarray, np.ndarray, np.ndarray],
    ) -> Classifier:
        """The rule of every head, on the images of which its attribute is known."""
        features, logits, labels = validation
        rules = []
        for a, head in enumerate(self.heads):
            rows = labels[:, a] >= 0
            mine = train_features[self.known[a], a] if train_features.size else np.empty((0, 0))
            rules.append(
                head.fit_classifier(mine, (features[rows, a], logits[rows, a], labels[rows, a]))
            )
        return MultiLabelClassifier(rules)

    def assignment(self) -> np.ndarray | None:
        """Clusters of the first attribute, (n,), -1 where it is unknown; None without clusters."""
        found = self.heads[0].assignment()
        if found is None:
            return None
        clusters = np.full(len(self.labels), -1, dtype=np.int64)
        clusters[self.known[0]] = found
        return clusters

    # --- resuming -----------------------------------------------------------------------

    def state(self) -> dict[str, torch.Tensor]:
        return {
            f"{a}.{name}": tensor
            for a, head in enumerate(self.heads)
            for name, tensor in head.state().items()
        }

    def load_state(self, state: dict[str, torch.Tensor]) -> None:
        for a, head in enumerate(self.heads):
            head.load_state(_of(state, a))
        self._stack()


@stored_as("attributes")
class MultiLabelClassifier(Classifier):
    """A rule for each attribute: z (n, A, d) and logits (n, A, 2) to scores (n, A, 2)."""

    def __init__(self, rules: list[Classifier]) -> None:
        self.rules = rules

    def scores(self, features: np.ndarray, logits: np.ndarray) -> np.ndarray:
        each = [rule.scores(features[:, a], logits[:, a]) for a, rule in enumerate(self.rules)]
        return np.stack(each, axis=1)

    def calibrated(self, validation: tuple[np.ndarray, np.ndarray, np.ndarray]) -> Classifier:
        features, logits, labels = validation
        known = [np.flatnonzero(labels[:, a] >= 0) for a in range(len(self.rules))]
        return MultiLabelClassifier(
            [
                rule.calibrated((features[rows, a], logits[rows, a], labels[rows, a]))
                for a, (rule, rows) in enumerate(zip(self.rules, known, strict=True))
            ]
        )

    def chosen(self) -> dict[str, Any]:
        return {"rules": [{"kind": rule.kind, **rule.chosen()} for rule in self.rules]}

    def arrays(self) -> dict[str, np.ndarray]:
        return {
            f"{a}.{name}": array
            for a, rule in enumerate(self.rules)
            for name, array in rule.arrays().items()
        }

    @classmethod
    def restored(cls, arrays: Mapping[str, np.ndarray], chosen: Mapping[str, Any]) -> Classifier:
        rules = []
        for a, facts in enumerate(chosen["rules"]):
            own = dict(facts)
            rules.append(restore_classifier(own.pop("kind"), _of(arrays, a), own))
        return cls(rules)


def _of(named: Mapping[str, Any], a: int) -> dict[str, Any]:
    """The entries "a.name" of attribute ``a``, by name."""
    return {
        key.partition(".")[2]: value
        for key, value in named.items()
        if key.partition(".")[0] == str(a)
    }
