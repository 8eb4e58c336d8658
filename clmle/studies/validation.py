"""Check all trials of a study before the first one runs."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache, partial

from clmle.config import DataConfig, TrainConfig, several
from clmle.data import Task, imbalanced_counts
from clmle.data.multilabel import MultiTask
from clmle.data.registry import dataset_info, find_dataset
from clmle.errors import InputError
from clmle.models.backbones import check_backbone
from clmle.studies.trials import Trial
from clmle.training.extraction import pick_device
from clmle.training.factory import make_method, make_network
from clmle.training.prepare import load_data, make_task

Progress = Callable[[int, int], None]
LOADED = ("dataset", "size", "image_size", "labels", "split")  # and whether identities are wanted


def check_trials(
    trials: Sequence[Trial], progress: Progress | None = None, *, render: bool = True
) -> None:
    """Load each data set once (rendering it first) and build every method once.

    Names are checked first, then data. ``render=False`` renders and downloads nothing that is
    missing, and leaves what depends on them unchecked.
    """
    configs = dict.fromkeys(
        replace(t.config, train=replace(t.config.train, seed=0)) for t in trials
    )
    for config in configs:
        _check_names(config.data, config.train)
    load = cache(partial(load_data, progress=progress))

    @cache
    def task_of(data: DataConfig) -> Task | MultiTask:
        attribute = "identity" if data.attribute == "identity" else ""
        own = {name: getattr(data, name) for name in LOADED}
        return make_task(load(DataConfig(attribute=attribute, **own)), data)

    for config in configs:
        if render or _ready(config.data):
            task = task_of(config.data)
            make_network(task, config.train, config.options)
            make_method(config.method, config.options, task, config.train)


def target_names(data: DataConfig, progress: Progress | None = None) -> tuple[str, ...]:
    """Return the attributes and labels of a data set, without rendering it."""
    known = dataset_info(data.dataset).target_names(data.dataset)
    return known or load_data(data, progress=progress).targets


def _check_names(data: DataConfig, train: TrainConfig) -> None:
    """What can be checked without the data."""
    pick_device(train.device)
    check_backbone(train.backbone)
    if data.imbalance not in ("none", "given"):
        imbalanced_counts([10**9, 10**9], data.imbalance, data.ratio)
    info = find_dataset(data.dataset)
    known = () if info is None else info.target_names(data.dataset)
    named = several(data.attribute)
    for name in [data.attribute] if named is None else named:
        if known and name and name not in known:
            raise InputError(
                f"{data.dataset} has no attribute or label named {name!r}; "
                f"choose one of: {', '.join(known)}."
            )


def _ready(data: DataConfig) -> bool:
    info = find_dataset(data.dataset)
    return info is None or info.is_ready(data.size, data.image_size, max(data.split, 0))
