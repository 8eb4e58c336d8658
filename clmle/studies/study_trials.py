"""From a study and what somebody asks of it to its cells, every name and value checked."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

from clmle.config import Config, override, several
from clmle.errors import InputError
from clmle.presets import preset_config
from clmle.studies.catalog import PARTS, STUDIES, Grid, Study, Tree, methods
from clmle.studies.trials import Trial, cross


def get_study(name: str) -> Study:
    """The study called ``name``, or an InputError that says which there are."""
    if name not in STUDIES:
        raise InputError(f"There is no study {name!r}; choose one of: {', '.join(STUDIES)}.")
    return STUDIES[name]


def grid_study(names: Sequence[str]) -> Study:
    """A grid without a question of its own: these methods."""
    question = "Which of these is best?"
    return Study("grid", "A free grid", question, methods(*names), ratios=())


def study_trials(
    study: Study,
    *,
    dataset: str = "",
    attributes: Sequence[str] = (),
    seeds: Sequence[int] = (),
    ratios: Sequence[float] = (),
    preset: str = "reference",
    grid: Grid = (),
) -> list[Trial]:
    """The cells of a study; what is given takes the place of the study's own.

    On another data set than the study's, its first target is taken and its imbalance left as it
    is, unless ``attributes`` and ``ratios`` say otherwise.
    ``grid`` holds (part, name, values), such as
    ("train", "learning_rate", ("0.02", "0.05")): every variant is tried with the product of all
    values, which are added to its name.

    Raises
    ------
    InputError
        A setting or value that does not exist; the sentence names it.
    """
    dataset = dataset or study.dataset
    if dataset == study.dataset:
        attributes, ratios = attributes or study.attributes, ratios or study.ratios
    attributes = attributes or ("",)
    # Attributes on one network have settings of their own; a study has either these or single ones.
    shared = attributes[0] if all(several(name) is not None for name in attributes) else ""
    variants = {}
    for name, tree in study.variants.items():
        base = variant_config(tree, preset, dataset, shared)
        for values in itertools.product(*(v for _, _, v in grid)):
            config, words = base, [name]
            for (part, field, _), value in zip(grid, values, strict=True):
                config = changed(config, {part: {field: value}})
                words.append(f"{part}.{field}={value}")
            variants[", ".join(words)] = config
    return cross(variants, attributes=attributes, seeds=seeds or study.seeds, ratios=ratios)


def variant_config(tree: Tree, preset: str, dataset: str, attribute: str = "") -> Config:
    """Settings of one variant: the preset, with its differences put in place."""
    method = tree.get("method", Config.method)
    return changed(preset_config(preset, method, dataset, attribute), tree)


def changed(config: Config, tree: Tree) -> Config:
    """``settings`` with the values of the parts of ``tree`` put in place, each checked."""
    for part in PARTS:
        if part in tree:
            where = config.method if part == "options" else part
            new = override(getattr(config, part), tree[part], where)
            config = replace(config, **{part: new})
    return config
