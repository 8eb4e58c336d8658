"""Every method in four configurations: no method has more tries than another.

A method tried with many hyper-parameters is not better than one tried with few. Each method has
its default, a lower learning rate, and two more values of its main hyper-parameter, or of a shared
one if it has none. The best on validation images counts.
"""

from functools import partial
from typing import Any

import numpy as np

from clmle.studies.hidden_subpopulations import hidden_modes
from clmle.studies.spec import Study, Tree, methods

# The hyper-parameter that a method's paper discusses most, and two values around the default.
MAIN_OPTION: dict[str, tuple[str, tuple[float, float]]] = {
    "clmle": ("margin_weight", (0.02, 0.15)),
    "center": ("weight", (0.001, 0.01)),
    "center-invariant": ("weight", (0.001, 0.01)),
    "contrastive": ("weight", (0.03, 0.3)),
    "balanced-softmax": ("tau", (0.5, 1.5)),
    "balanced-contrastive": ("weight", (0.1, 1.0)),
    "class-balanced-loss": ("beta", (0.99, 0.9999)),
    "ldam-drw": ("largest_margin", (0.3, 0.7)),
    "cosface": ("margin", (0.2, 0.5)),
    "arcface": ("margin", (14.3, 40.0)),
}
WITHOUT_OPTION = (
    "oversampling + threshold tuning", "oversampling", "softmax + threshold tuning", "coco",
)  # fmt: skip


def tries(method: str) -> dict[str, Tree]:
    """The training fields and options that ``method`` is tried with, by name."""
    if method in MAIN_OPTION:
        name, values = MAIN_OPTION[method]
        own = {f"{name} = {v:g}": {"options": {name: v}} for v in values}
    else:
        own = {
            "learning_rate = 0.1": {"train": {"learning_rate": 0.1}},
            "weight_decay = 0.005": {"train": {"weight_decay": 0.005}},
        }
    return {"default": {}, "learning_rate = 0.02": {"train": {"learning_rate": 0.02}}, **own}


def tuning_variants(**data: Any) -> dict[str, Tree]:
    """The tries of every method; ``data`` are fields of DataConfig."""
    return {
        f"{method}, {name}": {
            **variant,
            **tree,
            "train": {**variant.get("train", {}), **tree.get("train", {})},
        }
        for method, variant in methods(*MAIN_OPTION, *WITHOUT_OPTION, **data).items()
        for name, tree in tries(method).items()
    }


FIELD = (
    "clmle", "softmax", "oversampling", "class-balanced-loss", "focal", "balanced-softmax",
    "logit-adjustment", "logit-adjusted-cosine", "ldam-drw", "cosface", "crt", "supcon",
    "balanced-contrastive", "sbcl", "gpaco", "proco",
)  # fmt: skip


def random_settings(count: int) -> dict[str, dict[str, Any]]:
    """Training fields of the default and of ``count`` random settings, the same for all methods."""
    rng = np.random.default_rng(0)
    found: dict[str, dict[str, Any]] = {"default": {}}
    for _ in range(count):
        rate, decay = (float(f"{10**v:.1g}") for v in rng.uniform((-2, -4), (-0.3, -1.3)))
        noise, backbone = float(rng.integers(2)), ("linear", "mlp")[rng.integers(2)]
        found[f"rate {rate:g} decay {decay:g} noise {noise:g} {backbone}"] = {
            "learning_rate": rate,
            "weight_decay": decay,
            "feature_noise": noise,
            "backbone": backbone,
        }
    return found


def field_variants(**data: Any) -> dict[str, Tree]:
    """Methods with the same random settings and calibration; ``data`` are fields of DataConfig."""
    return {
        f"{method}, {name}": {
            "method": method,
            "train": {"calibration": "balanced-logistic", "margin_trials": 0, **fields},
            "data": {"split": -1, **data},
        }
        for method in FIELD
        for name, fields in random_settings(3).items()
    }


on_level_field = partial(
    Study,
    question="Which method is best where the calibration and the tuning effort are the same for "
    "all?",
    ratios=(),
    seeds=(0, 1, 2),
)
# Section 4 of the paper; it trains each network longer, 0.1 and 0.001 are its learning rates,
# and 0.01 is between them.
PAPER_SCHEDULE = {
    "iterations": 4000,
    "pretrain_iterations": 1000,
    "rounds": 8,
    "weight_decay": 0.0005,
    "schedule": "plateau",
    "margin_trials": 50,
    "calibration": "balanced-logistic",
}  # fmt: skip


def paper_variants() -> dict[str, Tree]:
    """CLMLE as printed with its parts changed as in Table 7, and baselines, at three rates."""
    printed: dict[str, Tree] = {
        f"clmle-paper{words}": {"method": "clmle-paper", "options": own}
        for words, own in (
            ("", {}),
            (" without class weights", {"class_weighting": False}),
            (" with uniform queries", {"query": "uniform"}),
            (" with k-NN", {"rule": "k-nn"}),
        )
    }
    return {
        f"{name}, rate {rate:g}": {**variant, "train": {**PAPER_SCHEDULE, "learning_rate": rate}}
        for name, variant in {
            **printed,
            **methods("clmle", "softmax", "oversampling", "moon"),
        }.items()
        for rate in (0.1, 0.01, 0.001)
    }


on_long_tail = partial(
    on_level_field,
    attributes=("label",),
    ratios=(100,),
    dataset="cifar10-features",
    imbalance="long-tail",
)
STUDIES = (
    on_long_tail(
        "tuning-features",
        "Long-tailed CIFAR-10 on pretrained features, every method in four settings",
        variants=field_variants(validation="imbalanced", validation_size=2000),
    ),
    on_long_tail(
        "tuning-features-balanced",
        "Long-tailed CIFAR-10 on pretrained features, the same with balanced validation images",
        variants=field_variants(validation="balanced", validation_size=2000),
    ),
    on_level_field(
        "tuning-expressions",
        "Expressions of photographed faces on pretrained features, every method in four settings",
        variants=field_variants(),
        attributes=("expression",),
        seeds=tuple(range(6)),
        dataset="expression-features",
    ),
    on_level_field(
        "tuning-attributes",
        "Fourteen attributes on pretrained features, every method in four settings",
        variants=field_variants(),
        attributes=("all",),
        dataset="toonfaces-features",
    ),
    on_level_field(
        "tuning-points",
        "Points with hidden modes, every method in four settings",
        variants=field_variants(**hidden_modes(300)),
        attributes=("mode",),
        dataset="hidden-modes",
    ),
    on_level_field(
        "tuning-identities",
        "150 identities of LFW on pretrained features, every method in four settings",
        variants=field_variants(),
        attributes=("label",),
        dataset="lfw-identities-features",
    ),
    Study(
        "paper-schedule",
        "The paper's method with the paper's schedule, fourteen attributes on pretrained features",
        "What do CLMLE as printed, its parts (Table 7) and baselines reach in 4,000 steps with the "
        "paper's optimizer and a search of the margin below its bound?",
        paper_variants(),
        attributes=("all",),
        seeds=(0, 1, 2),
        ratios=(),
        dataset="toonfaces-features",
    ),
    Study(
        "tuning",
        "Every method in four configurations",
        "Does the order hold if every method is tuned with the same effort?",
        tuning_variants(),
        seeds=(0,),
    ),
    Study(
        "tuning-digits",
        "Every method in four configurations, on digits",
        "Does the order hold if every method is tuned with the same effort?",
        tuning_variants(split=-1),
        attributes=(),
        seeds=(5, 6, 7, 8, 9),  # others than those of the study digits
        ratios=(),
        dataset="digits",
    ),
)
LEVEL_FIELD = (
    "tuning-features", "tuning-expressions", "tuning-attributes", "tuning-points",
    "tuning-identities",
)  # fmt: skip
