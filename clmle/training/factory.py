"""Network, method and metrics of a task: one target, or several attributes."""

from typing import Any

import numpy as np
from torch import nn

from clmle.config import Config, TrainConfig
from clmle.data.base import Dataset, Task
from clmle.data.multilabel import MultiTask
from clmle.data.subpopulations import subpopulation_recall
from clmle.methods import Method, get_method
from clmle.methods._multi_label import MultiLabel
from clmle.metrics.attributes import attribute_metrics
from clmle.metrics.by_frequency import shot_accuracy
from clmle.metrics.classification import classification_metrics
from clmle.models.feature_network import SCALE, FeatureNetwork
from clmle.models.network import MultiNetwork, Network
from clmle.training.prepare import make_task

STANDARDIZED = 1 << 23  # values of features of which mean and standard deviation are taken


def make_network(task: Task | MultiTask, train: TrainConfig, options: Any = None) -> nn.Module:
    """Build the network of a task, with one head or one per attribute."""
    cosine = getattr(options, "head", "linear") == "cosine"
    scale = options.head_scale if cosine else None
    heads = len(task.attributes) if isinstance(task, MultiTask) else None
    network = network_for_shape(train, task.images.shape[1:], heads, task.n_classes, scale)
    if isinstance(network.backbone, FeatureNetwork):
        rows = task.train[:: len(task.train) * task.images.shape[1] // STANDARDIZED + 1]
        network.backbone.standardize(task.images[rows])
        network.backbone.noise = train.feature_noise
    return network


def network_for_shape(
    train: TrainConfig,
    shape: tuple[int, ...],
    heads: int | None = None,
    n_classes: int = 2,
    cosine_scale: float | None = None,
) -> nn.Module:
    """Build the network for images (height, width, channels): ``heads`` binary heads, or one.

    Rows (d,) of a table of features are images of one pixel with d channels.
    """
    height, width, channels = shape if len(shape) == 3 else (1, 1, *shape)
    if train.backbone == "cosine":
        cosine_scale = cosine_scale or SCALE
    shared = (train.backbone, channels, (height, width), train.feature_dim)
    if heads:
        return MultiNetwork(*shared, heads, cosine_scale)
    return Network(*shared, n_classes, cosine_scale)


def make_method(
    name: str, options: Any, task: Task | MultiTask, train: TrainConfig
) -> Method | MultiLabel:
    """Build the method for a task; for several attributes one per attribute."""
    facts = (train.batch_size, train.seed, train.feature_dim)
    if isinstance(task, MultiTask):
        return MultiLabel(get_method(name), options, task, *facts)
    return get_method(name)(options, task, *facts)


def metrics_of(
    task: Task | MultiTask, rows: np.ndarray, scores: np.ndarray, n_bootstrap: int = 1000
) -> dict[str, Any]:
    """Compute the metrics of the images ``rows`` from their class scores."""
    labels = task.labels[rows]
    if isinstance(task, MultiTask):
        return attribute_metrics(labels, scores, task.attributes, n_bootstrap=n_bootstrap)
    metrics = classification_metrics(labels, scores)
    metrics["shots"] = shot_accuracy(task.class_counts(), metrics["recall"])
    if task.subpopulations is not None:
        metrics["subpopulations"] = subpopulation_recall(task, rows, scores.argmax(axis=1))
    return metrics


def task_facts(task: Task | MultiTask) -> dict[str, Any]:
    """Describe a task for the result of a run: name, classes, training images per class.

    With several attributes ``attributes`` names the rows of ``class_counts`` (A, 2).
    """
    facts = {
        "class_names": list(task.class_names),
        "class_counts": task.class_counts().tolist(),
        "task": task.name,
    }
    if isinstance(task, MultiTask):
        facts |= {"attributes": list(task.attributes), "no_training": list(task.left_out)}
    return facts


def embedding_task_of(dataset: Dataset, config: Config) -> Task:
    """Return the task whose embedding a run stores: that of the first of several attributes."""
    return embedding_task(make_task(dataset, config.data, config.train.seed))


def embedding_task(task: Task | MultiTask) -> Task:
    """Return the task whose embedding is stored; of several attributes the first."""
    return task.tasks[0] if isinstance(task, MultiTask) else task
