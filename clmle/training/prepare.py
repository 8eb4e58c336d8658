"""From a configuration to a task: load the data, select the target, subsample the classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clmle.config import Config, DataConfig, TrainConfig, parse, several
from clmle.data import dataset_info, imbalance, load_dataset
from clmle.data.base import Dataset, Progress, Task
from clmle.data.multilabel import MultiTask, multi_task
from clmle.errors import InputError
from clmle.methods import get_method


def load_data(data: DataConfig, seed: int = 0, progress: Progress | None = None) -> Dataset:
    """Load the data set of a configuration; on first use it is rendered or decoded."""
    kind = "label" if data.labels else "identities" if data.attribute == "identity" else None
    values = {
        "image_size": data.image_size,
        "size": data.size,
        "seed": seed if data.split < 0 else data.split,
        "progress": progress,
    }
    known = dataset_info(data.dataset, kind).options
    options: dict[str, Any] = {name: value for name, value in values.items() if name in known}
    if data.labels:
        options["labels"] = data.labels
    return load_dataset(data.dataset, identities=kind == "identities", **options)


def prepare(config: Config, progress: Progress | None = None) -> tuple[Dataset, Task | MultiTask]:
    """Load the data set of a run and make its task: one target, or several attributes."""
    dataset = load_data(config.data, config.train.seed, progress)
    return dataset, make_task(dataset, config.data, config.train.seed)


def make_task(dataset: Dataset, data: DataConfig, seed: int = 0) -> Task | MultiTask:
    """Make the task of a configuration from its loaded data set, subsampled if wanted."""
    names = several(data.attribute)
    if names is None:
        task = dataset.task(data.attribute or None)
        if data.imbalance == "none":
            return task
        return imbalance(task, data.imbalance, data.ratio, seed=seed)
    if data.imbalance != "none":
        raise InputError(
            "Training images are subsampled for one target; set imbalance to none for several "
            "attributes."
        )
    return multi_task(dataset, names)


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
