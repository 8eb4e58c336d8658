"""Budgets: one that is done in under a minute on two cores, one in under five, one for comparisons.

``reference`` is what every comparison in docs/RESULTS.md runs on: 30,000 faces and the tiny
backbone, so that hundreds of runs are affordable (about 20 s of one core each).
"""

from __future__ import annotations

from dataclasses import replace

from clmle.config import Config, DataConfig, TrainConfig, several
from clmle.data import (
    dataset_names,
    is_celeba,
    is_lfwa,
    is_recordio,
    looks_like_identities,
)
from clmle.errors import InputError
from clmle.methods import get_method

PRESETS = {
    "quick": TrainConfig(iterations=160, pretrain_iterations=40, rounds=4, schedule="cosine"),
    "standard": TrainConfig(
        iterations=800, pretrain_iterations=200, rounds=3, margin_trials=10, schedule="cosine"
    ),
    "reference": TrainConfig(
        backbone="tiny",
        iterations=400,
        pretrain_iterations=100,
        rounds=4,
        schedule="cosine",
        weight_decay=0.02,  # the best of seven for oversampling on three attributes
    ),
}
CLIP = 5.0  # gradients of 40 heads on a CelebA-like folder: 16 long at first, then 3 to 8
SIZES = {"reference": "standard"}  # of toonfaces, where it is not the preset's own name


def has_identities(dataset: str, attribute: str = "") -> bool:
    """Whether identities are what a data set, or the folder at a path, gives to learn."""
    if dataset in dataset_names():
        return dataset == "toonfaces-identities"
    return attribute == "identity" or is_recordio(dataset) or looks_like_identities(dataset)


def preset_config(
    preset: str = "quick",
    method: str = "clmle",
    dataset: str = "toonfaces",
    attribute: str = "",
) -> Config:
    """Settings of a preset for a method and a data set; every method has the same budget."""
    if preset not in PRESETS:
        raise InputError(f"There is no preset {preset!r}; choose one of: {', '.join(PRESETS)}.")
    options = get_method(method).Options()
    data = DataConfig(dataset=dataset, attribute=attribute, size=SIZES.get(preset, preset))
    train = PRESETS[preset]
    if method == "clmle":
        # Its own batches from the first step on: a class of a few dozen images would else be learned
        # by heart before there are clusters.
        train = replace(train, pretrain_method="sampling-without-replacement")
    if dataset == "digits":
        data = replace(data, image_size=16)
        train = replace(train, mirror=False)
    elif dataset not in dataset_names() and (is_celeba(dataset) or is_lfwa(dataset)):
        data = replace(data, image_size=55)
        if several(attribute) is not None:
            # The losses of all heads add up in the network before them; those of 40 may blow its
            # features up within ten steps, after which it learns nothing.
            train = replace(train, grad_clip_norm=CLIP)
    if has_identities(dataset, attribute) and hasattr(options, "min_clusters"):
        # Most identities have fewer images than a cluster: one each, as in the paper.
        options = replace(options, min_clusters=1)
        if method == "clmle":
            # Identities of a handful of images, shown as often as others, are learned by heart.
            options = replace(options, class_power=0.5)
    if method == "clmle" and has_identities(dataset, attribute):
        # Strangers are compared by cosines; of thousands of people few are known for a long time.
        options = replace(options, head="cosine", warmup_until=0.0)
    if method == "clmle" and several(attribute) is not None:
        # A batch that is even and hard for one attribute teaches the others little. As the data
        # come, and with offsets fitted afterwards, all learn from every batch. Squared errors, as
        # MOON has them, keep attributes that are learned slowly from being drowned by the others.
        options = replace(
            options,
            class_power=1.0,
            query="uniform",
            logit_adjustment=False,
            head_loss="squared",
            warmup_until=0.0,  # to wait gains nothing where attributes learn from one another
        )
        train = replace(train, pretrain_method="moon")
    return Config(method, options, data, train)
