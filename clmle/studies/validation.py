"""Check all trials of a study before the first one runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from clmle.config import DataConfig, check_bounds, several
from clmle.data import Dataset, Task, imbalanced_counts
from clmle.data.multilabel import MultiTask
from clmle.data.registry import dataset_info, find_dataset
from clmle.errors import InputError
from clmle.models import backbone_names, build_backbone
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

    Names are checked first, then data. ``render=False`` does not render faces that are missing,
    and leaves what depends on them unchecked.
    """
    distinct = {replace(t.config, train=replace(t.config.train, seed=0)): t for t in trials}
    for trial in distinct.values():
        _check_names(trial)
    datasets: dict[DataConfig, Dataset] = {}
    tasks: dict[DataConfig, Task | MultiTask] = {}
    for trial in distinct.values():
        data, train = trial.config.data, trial.config.train
        if not render and not _rendered(data):
            continue
        if data not in tasks:
            source = DataConfig(
                attribute="identity" if data.attribute == "identity" else "",
                **{name: getattr(data, name) for name in LOADED},
            )
            if source not in datasets:
                datasets[source] = load_data(source, progress=progress)
            tasks[data] = make_task(datasets[source], data)
        make_network(tasks[data], train, trial.config.options)
        make_method(trial.config.method, trial.config.options, tasks[data], train)


def target_names(data: DataConfig, progress: Progress | None = None) -> tuple[str, ...]:
    """Return the attributes and labels of a data set, without rendering it."""
    known = dataset_info(data.dataset).target_names(data.dataset)
    return known or load_data(data, progress=progress).targets


def _check_names(trial: Trial) -> None:
    """What can be checked without the data."""
    data, train = trial.config.data, trial.config.train
    check_bounds(train)
    pick_device(train.device)
    if train.backbone not in backbone_names():
        build_backbone(
            train.backbone, 3, data.image_size, train.feature_dim
        )  # raises, with all names
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


def _rendered(data: DataConfig) -> bool:
    info = find_dataset(data.dataset)
    return info is None or info.is_ready(data.size, data.image_size, max(data.split, 0))
