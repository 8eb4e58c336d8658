"""From a configuration to a task: load the data, select the target, subsample the classes."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from clmle.config import Config, DataConfig, TrainConfig, parse, several
from clmle.data import dataset_info, imbalance, load_dataset
from clmle.data.base import Dataset, Progress, Task
from clmle.data.long_tail import PUBLISHED
from clmle.data.multilabel import MultiTask, multi_task
from clmle.data.subpopulations import left_out, merged, parse_counts
from clmle.data.validation import draw_validation, validation_of_test
from clmle.errors import InputError
from clmle.methods import get_method


def load_data(
    data: DataConfig,
    seed: int = 0,
    progress: Progress | None = None,
    value_range: tuple[float, float] | None = None,
) -> Dataset:
    """Load the data set of a configuration; on first use it is rendered or decoded.

    ``value_range`` is that of a run (:attr:`clmle.RunFolder.value_range`).
    """
    kind = "label" if data.labels else "identities" if data.attribute == "identity" else None
    values = {
        "image_size": data.image_size,
        "size": data.size,
        "seed": seed if data.split < 0 else data.split,
        "progress": progress,
        "value_range": value_range,
    }
    known = dataset_info(data.dataset, kind).options
    options: dict[str, Any] = {name: value for name, value in values.items() if name in known}
    if data.labels:
        options["labels"] = data.labels
    return load_dataset(data.dataset, identities=kind == "identities", **options)


def prepare(
    config: Config,
    progress: Progress | None = None,
    value_range: tuple[float, float] | None = None,
) -> tuple[Dataset, Task | MultiTask]:
    """Load the data set of a run and make its task: one target, or several attributes."""
    dataset = load_data(config.data, config.train.seed, progress, value_range)
    return dataset, make_task(dataset, config.data, config.train.seed)


def make_task(dataset: Dataset, data: DataConfig, seed: int = 0) -> Task | MultiTask:
    """Make the task of a configuration from its loaded data set, subsampled if wanted."""
    names = several(data.attribute)
    if names is None:
        return _one_target(dataset, data, seed)
    for name in ("imbalance", "counts", "merge", "validation"):
        if getattr(data, name) != getattr(DataConfig, name):
            raise InputError(
                f"The option {name} is for one target; leave it at its default for several "
                "attributes."
            )
    return multi_task(dataset, names)


def _one_target(dataset: Dataset, data: DataConfig, seed: int) -> Task:
    """One target with the imbalance, then the validation images, then the merged classes."""
    if bool(data.counts) != (data.imbalance == "given"):
        raise InputError(
            "The options imbalance=given and counts belong together: counts names the training "
            'images of classes, such as "cat=500;dog=20".'
        )
    if data.validation == "own" and data.validation_size:
        raise InputError(
            "validation_size is the number of drawn validation images; set validation to balanced "
            "or imbalanced, too."
        )
    split_seed = seed if data.split < 0 else data.split
    own = dataset.task(data.attribute or None)
    whole = own
    if data.validation != "own":
        whole = replace(own, train=np.sort(np.concatenate([own.train, own.validation])))
    elif data.imbalance in PUBLISHED and "published_split" in dataset.metadata:
        whole = validation_of_test(own, split_seed)
    task = whole
    counts = parse_counts(data.counts, task) if data.counts else []
    if data.imbalance != "none":
        # The published long tails are the same in all runs.
        drawn = split_seed if data.imbalance in PUBLISHED else seed
        kept = [max(1, count) for count in counts] or None
        task = imbalance(task, data.imbalance, data.ratio, counts=kept, seed=drawn)
    if data.validation != "own":
        size = data.validation_size or len(own.validation)
        balanced = data.validation == "balanced"
        task = draw_validation(task, whole.train, size, balanced, split_seed)
    return left_out(merged(task, data.merge) if data.merge else task, counts)


def config_from_dict(values: dict[str, Any]) -> Config:
    """Make and check a configuration from nested values, as in config.json."""
    if not isinstance(values, Mapping):
        raise InputError(
            f"A configuration must have the parts data, train and options, not {values!r}."
        )
    parse(Config, dict.fromkeys(set(values) - {"method", "options", "data", "train"}), "config")
    method = values.get("method", Config.method)
    options = parse(get_method(method).Options, values.get("options") or {}, method)
    data = parse(DataConfig, values.get("data") or {}, "data")
    train = parse(TrainConfig, values.get("train") or {}, "train")
    return Config(method, options, data, train)
