"""Trials: the single runs of a study, each identified by its whole configuration."""

import hashlib
import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clmle.config import Config, changed, several
from clmle.methods import TUNED
from clmle.presets import preset_config
from clmle.renamed import STORED
from clmle.studies.spec import Grid, Study, Tree

MACHINE = ("device", "threads", "precision")  # fields of TrainConfig that say where a run trains
# Fields that came after the first stored results: at their defaults they are left out of the key.
ADDED = {
    "data": ("counts", "merge", "validation", "validation_size"),
    "options": ("detach_head",),
    "train": ("pretrained", "feature_noise"),
}
EARLIER = {new: old for (name, old), new in STORED.items() if name == "calibration"}  # in keys


@dataclass(frozen=True)
class Trial:
    """One run of a study: its variant's name and whole configuration."""

    variant: str
    config: Config

    @property
    def key(self) -> str:
        """16 hexadecimal digits that identify the configuration, without the machine's fields."""
        tree = self.config.to_dict()
        for name in MACHINE:
            del tree["train"][name]
        train = tree["train"]
        train["calibration"] = EARLIER.get(train["calibration"], train["calibration"])
        for part, names in ADDED.items():
            default = type(getattr(self.config, part))()
            for name in names:
                if name in tree[part] and tree[part][name] == getattr(default, name):
                    del tree[part][name]
        text = json.dumps(tree, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def __str__(self) -> str:
        data, train = self.config.data, self.config.train
        kind = "" if data.imbalance == "step" else f"{data.imbalance} "
        ratio = f"{kind}ratio {data.ratio:g}" if data.imbalance != "none" else ""
        return ", ".join(filter(None, [self.variant, data.attribute, ratio, f"seed {train.seed}"]))


def cross(
    variants: Mapping[str, Config],
    *,
    attributes: Sequence[str] = ("",),
    seeds: Sequence[int] = (0,),
    ratios: Sequence[float] = (),
    imbalance: str = "step",
) -> list[Trial]:
    """Make the trials of every variant on every attribute, ratio and seed.

    ``imbalance`` is the kind of the ratios for variants without a kind of their own. All trials of
    a seed come before those of the next: an interrupted study has whole seeds.
    """
    trials = []
    for seed, ratio, attribute in itertools.product(seeds, ratios or (None,), attributes):
        data: dict[str, Any] = {"attribute": attribute} if attribute else {}
        for name, config in variants.items():
            own = dict(data)
            if ratio is not None:
                kind = config.data.imbalance
                own |= {"imbalance": imbalance if kind == "none" else kind, "ratio": ratio}
            tree = {"data": own, "train": {"seed": seed}}
            trials.append(Trial(name, changed(config, tree)))
    return trials


def study_trials(
    study: Study,
    *,
    dataset: str = "",
    attributes: Sequence[str] = (),
    seeds: Sequence[int] = (),
    ratios: Sequence[float] = (),
    imbalance: str = "",
    calibration: str = "",
    preset: str = "reference",
    grid: Grid = (),
) -> list[Trial]:
    """The trials of a study.

    ``calibration`` is that of every variant; variants that differ by it alone become one.
    """
    dataset = dataset or study.dataset
    if dataset == study.dataset:
        attributes, ratios = attributes or study.attributes, ratios or study.ratios
    attributes = attributes or ("",)
    # The multi-label preset depends on the attributes; a study has lists of them or single ones.
    shared = attributes[0] if all(several(name) is not None for name in attributes) else ""
    bases: list[Config] = []
    variants = {}
    for name, tree in study.variants.items():
        base = variant_config(tree, preset, dataset, shared)
        if calibration:
            base, name = (
                changed(base, {"train": {"calibration": calibration}}),
                name.removesuffix(TUNED),
            )
            if base in bases:
                continue
            bases.append(base)
        for values in itertools.product(*(v for _, _, v in grid)):
            config, words = base, [name]
            for (part, field, _), value in zip(grid, values, strict=True):
                config = changed(config, {part: {field: value}})
                words.append(f"{part}.{field}={value}")
            variants[", ".join(words)] = config
    return cross(
        variants,
        attributes=attributes,
        seeds=seeds or study.seeds,
        ratios=ratios,
        imbalance=imbalance or study.imbalance,
    )


def variant_config(tree: Tree, preset: str, dataset: str, attribute: str = "") -> Config:
    """The configuration of a variant: that of the preset, with the variant's own values."""
    method = tree.get("method", Config.method)
    return changed(preset_config(preset, method, dataset, attribute), tree)


def pending(trials: Iterable[Trial], results: Iterable[Mapping[str, Any]] = ()) -> list[Trial]:
    """Return the trials that have no result yet, each once."""
    done = {(r["key"], r["variant"]) for r in results}
    missing: dict[tuple[str, str], Trial] = {}
    for trial in trials:
        name = (trial.key, trial.variant)
        if name not in done:
            missing.setdefault(name, trial)
    return list(missing.values())
