"""Variants of a study of Eq. 9: its dose, clusters or one for each class, and without it.

All variants of a study have the same sampler, classifier and calibration.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from clmle.studies.hidden_subpopulations import superclasses
from clmle.studies.spec import Tree

WITHOUT = "without Eq. 9"
ONE_CLUSTER = {"cluster_size": 1_000_000, "min_clusters": 1}
# Chosen on seeds 0 to 5 of the factorial study; the pre-registered studies have other seeds.
CHOSEN = {
    "margin_weight": 0.5,
    "between_margin_fraction": 0.5,
    "within_margin": 0.1,
    "within_weight": 1.0,
}
# Features of a pretrained network: a linear map, noise as augmentation, and batches that show all
# clusters of a class alike.
FEATURES = {
    "backbone": "linear",
    "weight_decay": 0.0005,
    "batch_size": 160,
    "feature_noise": 1.0,
    "pretrain_iterations": 0,
    "rounds": 8,
    "patience": 9,
}
NO_NOISE = {**FEATURES, "feature_noise": 0.0}
# Chosen on seeds 0 to 5 of the study eq9-features.
FINE = {
    "head": "cosine",
    "head_scale": 16.0,
    "hard_fraction": 0.0,
    "warmup_until": 0.0,
    "logit_adjustment": False,
    "centroids": "memory",
    "margin_weight": 0.5,
    "between_margin_fraction": 0.5,
    "cluster_size": 50,
    "min_clusters": 16,
}
POINTS = {"feature_dim": 16, "weight_decay": 0.0005, "batch_size": 160}


def doses(
    train: Tree,
    data: Tree,
    weights: tuple[float, ...],
    within: bool,
    base: Tree = MappingProxyType({}),
) -> dict[str, Tree]:
    """Variants: without Eq. 9; clusters or one for each class x a1 x weight x a2."""
    shared = {"train": {**train, "margin_trials": 0}, "data": data}
    found: dict[str, Tree] = {WITHOUT: {"options": {**base, "margin_weight": 0.0}, **shared}}
    for clusters in ("clusters", "one cluster"):
        for fraction in (0.125, 0.25, 0.5):
            for weight in (*weights, None):
                for a2 in (0.0, 0.1) if within and clusters == "clusters" else (0.0,):
                    own: dict[str, Any] = {**base, "between_margin_fraction": fraction}
                    own |= (
                        {"margin_weight": 1.0, "detach_head": True}
                        if weight is None
                        else {"margin_weight": weight}
                    )
                    own |= {"within_margin": a2, "within_weight": 1.0} if a2 else {}
                    own |= ONE_CLUSTER if clusters == "one cluster" else {}
                    words = [
                        clusters,
                        f"a1 {fraction:g}",
                        f"weight {weight}" if weight else "alone",
                    ]
                    found[", ".join(words + ([f"a2 {a2:g}"] if a2 else []))] = {
                        "options": own, **shared
                    }  # fmt: skip
    return found


def confirmation(train: Tree, data: Tree) -> dict[str, Tree]:
    """The chosen configuration, with one cluster for each class, and without Eq. 9."""
    shared = {"train": {**train, "margin_trials": 0}, "data": data}
    return {
        WITHOUT: {"options": {"margin_weight": 0.0}, **shared},
        "clusters, chosen dose": {"options": CHOSEN, **shared},
        "one cluster, chosen dose": {"options": {**CHOSEN, **ONE_CLUSTER}, **shared},
    }


def regime(
    what: str,
    data: Callable[[int], Tree],
    sizes: Sequence[int],
    noises: Sequence[float],
    train: Tree,
    chosen: Tree = CHOSEN,
    base: Tree = MappingProxyType({}),
    of: str = "minority",
) -> dict[str, Tree]:
    """Variants of every size of the minority or majority, with and without noise."""
    return {
        f"{n} {of} {what}{', noise' if noise else ''}, {name}": {
            "options": {**base, **own},
            "train": {**train, "margin_trials": 0, "feature_noise": noise},
            "data": data(n),
        }
        for n in sizes
        for noise in noises
        for name, own in (
            (WITHOUT, {"margin_weight": 0.0}),
            ("clusters", chosen),
            ("one cluster", {**chosen, **ONE_CLUSTER}),
        )
    }


def on_features(
    changes: Mapping[str, tuple[Tree, Tree]], left_out: Sequence[str] = ()
) -> dict[str, Tree]:
    """Variants of the configuration for features: (training fields, options) that differ."""
    return {
        name: {
            "options": {**FINE, **own},
            "train": {**FEATURES, "margin_trials": 0, **train},
            "data": superclasses(left_out=left_out),
        }
        for name, (train, own) in changes.items()
    }
