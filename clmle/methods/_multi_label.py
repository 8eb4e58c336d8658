"""Any method for several attributes: one head for each on a shared network.

Each batch is sampled for one attribute, its *query*, in the way the method samples for a single
task; the query changes from step to step. All heads train on the batch:

- the head of the query, on the batch as it is;
- the other heads of a method whose loss corrects for class proportions, on the batch as it is;
- the other heads of any other method, on features resampled from the batch, so that their classes
  have the proportions of that method. The network sees no image twice.

A head leaves out images whose label of its attribute is unknown.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from clmle.classifiers._base import Classifier, Validation, restore_classifier, stored_as
from clmle.data.multilabel import MultiTask
from clmle.device import to_device
from clmle.methods._base import Batch, HeadStack, Loss, Method, Outputs
from clmle.methods._cluster_method import ClusterMethod, as_it_is
from clmle.samplers.proportions import apportion
from clmle.threads import one_thread_each

CLOSE = 0.05  # class proportions that differ by less count as equal


@dataclass(frozen=True)
class Shared:
    """How a batch was sampled: in ``step``, for the attribute ``query``, as ``query_batch``."""

    step: int
    query: int
    query_batch: Batch


class MultiLabel:
    """A method for each of A attributes, with the hooks of a single :class:`Method`.

    Features z are (B, A, d), logits (B, A, 2) and labels (B, A), -1 where unknown.
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
        # Position of each training image among those with a known label of the attribute, or -1.
        self.positions = np.full(self.labels.shape, -1, dtype=np.int64)
        for a, rows in enumerate(self.known):
            self.positions[rows, a] = np.arange(len(rows))
        self.heads = [kind(options, one, batch_size, seed, feature_dim) for one in task.tasks]
        self.modules = nn.ModuleDict({str(a): head.modules for a, head in enumerate(self.heads)})
        self.natural = np.stack([head.counts / head.counts.sum() for head in self.heads])
        self.stack: HeadStack | None = None
        self.uses_clusters = kind.uses_clusters

    def to(self, device: torch.device) -> None:
        """Move the methods of all attributes to ``device``."""
        for head in self.heads:
            head.to(device)

    @property
    def detach_head(self) -> bool:
        """Whether the heads' loss trains the heads alone and not the features."""
        return self.heads[0].detach_head

    def on_validation(self, metrics: Mapping[str, Any]) -> None:
        """Pass the metrics of each attribute to its head."""
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
        """Those of the first attribute: fractions of bounds, which differ between heads."""
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
        """Sum over the heads that train on the batch."""
        shared: Shared = batch.extra
        if self.stack is not None:
            proportions = self.natural.copy()
            proportions[shared.query] = self.heads[shared.query].class_proportions()
            return self.stack.loss(outputs, self.positions[batch.indices], proportions)
        losses = []
        for a, head in enumerate(self.heads):
            chosen, part = np.arange(len(batch.indices)), shared.query_batch
            if a != shared.query:
                if not head.reads_any_batch:
                    continue
                chosen, natural = self._resample(a, batch.indices, shared)
                if len(chosen) == 0:
                    continue
                positions = self.positions[batch.indices[chosen], a]
                part = Batch(positions, class_proportions=natural)
            pick = to_device(chosen, outputs.features.device)
            own = Outputs(
                outputs.features[pick, a],
                outputs.logits[pick, a],
                outputs.labels[pick, a],
                outputs.progress,
                outputs.is_logged,
            )
            losses.append(head.loss(own, part))
        # With a mean each head would take a fraction of the steps that it takes alone.
        total = torch.stack([loss.total for loss in losses]).sum()
        parts = {
            name: torch.stack([loss.parts[name] for loss in losses if name in loss.parts]).mean()
            for name in dict.fromkeys(name for loss in losses for name in loss.parts)
        }

        def after_backward() -> None:
            for loss in losses:
                loss.after_backward()

        return Loss(total, parts, after_backward)

    def _resample(
        self, a: int, rows: np.ndarray, shared: Shared
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Indices into the batch for head ``a``, and their class proportions where corrected for.

        A loss that corrects for class proportions takes all known images: they were sampled for
        another attribute, so the classes of ``a`` have their natural proportions. For any other
        loss the images are resampled in the proportions of its method.
        """
        labels = self.labels[rows, a]
        known = np.flatnonzero(labels >= 0)
        head = self.heads[a]
        target, natural = head.class_proportions(), self.natural[a]
        if head.corrects_proportions:
            return known, natural
        if np.abs(target - natural).max() < CLOSE or len(np.unique(labels[known])) < 2:
            return known, None
        rng = np.random.default_rng([self.seed, shared.step, 4, a])
        picked = []
        for c, count in enumerate(apportion(target, len(known), rng)):
            members = known[labels[known] == c]
            picked.append(rng.choice(members, count, replace=count > len(members)))
        return np.concatenate(picked), None

    # --- rounds and classifiers ------------------------------------------------------------

    def start_round(
        self, round: int, features: np.ndarray | None, prior: np.ndarray | None = None
    ) -> None:
        def start(a: int) -> None:
            own = None if features is None else features[self.known[a], a]
            first = None if prior is None else prior[self.known[a]]
            self.heads[a].start_round(round, own, first)

        # The clusters of the heads are independent; processes that share an index have to refresh
        # those of all heads in the same order.
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

    def fit_classifier(self, train_features: np.ndarray, validation: Validation) -> Classifier:
        """The classifier of every head, fitted on the images with a known label."""
        classifiers = []
        for a, head in enumerate(self.heads):
            own = train_features[self.known[a], a] if train_features.size else np.empty((0, 0))
            classifiers.append(head.fit_classifier(own, _validation_of(validation, a)))
        return MultiLabelClassifier(classifiers)

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
    """A classifier for each attribute: z (n, A, d) and logits (n, A, 2) to scores (n, A, 2)."""

    def __init__(self, classifiers: list[Classifier]) -> None:
        self.classifiers = classifiers

    def scores(self, features: np.ndarray, logits: np.ndarray) -> np.ndarray:
        scores = [c.scores(features[:, a], logits[:, a]) for a, c in enumerate(self.classifiers)]
        return np.stack(scores, axis=1)

    def with_each(
        self, change: Callable[[Classifier, Validation], Classifier], validation: Validation
    ) -> Classifier:
        return MultiLabelClassifier(
            [change(c, _validation_of(validation, a)) for a, c in enumerate(self.classifiers)]
        )

    def chosen(self) -> dict[str, Any]:
        return {"rules": [{"kind": c.kind, **c.chosen()} for c in self.classifiers]}

    def arrays(self) -> dict[str, np.ndarray]:
        return {
            f"{a}.{name}": array
            for a, classifier in enumerate(self.classifiers)
            for name, array in classifier.arrays().items()
        }

    @classmethod
    def restored(cls, arrays: Mapping[str, np.ndarray], chosen: Mapping[str, Any]) -> Classifier:
        classifiers = []
        for a, parameters in enumerate(chosen["rules"]):
            own = dict(parameters)
            classifiers.append(restore_classifier(own.pop("kind"), _of(arrays, a), own))
        return cls(classifiers)


def _validation_of(validation: Validation, a: int) -> Validation:
    """Features (n, d), logits (n, 2) and labels (n,) of attribute ``a`` where they are known."""
    features, logits, labels = validation
    rows = labels[:, a] >= 0
    return features[rows, a], logits[rows, a], labels[rows, a]


def _of(named: Mapping[str, Any], a: int) -> dict[str, Any]:
    """The entries "a.name" of attribute ``a``, by name."""
    start = f"{a}."
    return {k.removeprefix(start): value for k, value in named.items() if k.startswith(start)}
