"""From settings to a task: load the data, pick the target, turn the imbalance dial."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from clmle.config import Config, DataConfig, TrainConfig, parse, several
from clmle.data import dataset_info, imbalance, load_dataset
from clmle.data.base import Dataset, Task
from clmle.data.multilabel import MultiTask, multi_task
from clmle.errors import InputError
from clmle.methods import get_method

Progress = Callable[[int, int], None]


def load_data(data: DataConfig, seed: int = 0, progress: Progress | None = None) -> Dataset:
    """The data set that ``data`` names, rendered or read first where need be.

    Where ``data.split`` is -1, ``seed`` of the run takes its place: it draws the split, and of
    toonfaces people and faces themselves.
    """
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
    """The data set and the task of a run: one target, or several attributes together."""
    dataset = load_data(config.data, config.train.seed, progress)
    return dataset, make_task(dataset, config.data, config.train.seed)


def make_task(dataset: Dataset, data: DataConfig, seed: int = 0) -> Task | MultiTask:
    """What ``data`` asks of a data set that is there: its target or attributes, thinned or not."""
    names = several(data.attribute)
    if names is None:
        task = dataset.task(data.attribute or None)
        if data.imbalance == "none":
            return task
        return imbalance(task, data.imbalance, data.ratio, seed=seed)
    if data.imbalance != "none":
        raise InputError(
            "The imbalance dial thins one target; leave imbalance at none for several attributes."
        )
    return multi_task(dataset, names)


def config_from_dict(values: dict[str, Any]) -> Config:
    """The settings tree of ``values`` (as in config.json or a config file), checked."""
    if not isinstance(values, Mapping):
        raise InputError(f"Settings must hold the parts data, train and options, not {values!r}.")
    parse(Config, dict.fromkeys(set(values) - {"method", "options", "data", "train"}), "config")
    method = values.get("method", Config.method)
    options = parse(get_method(method).Options, values.get("options") or {}, method)
    data = parse(DataConfig, values.get("data") or {}, "data")
    train = parse(TrainConfig, values.get("train") or {}, "train")
    return Config(method, options, data, train)
