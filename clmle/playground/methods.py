"""The methods of the playground, with their options for a few hundred points."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from clmle.data.base import Task
from clmle.errors import InputError
from clmle.methods import TUNED, Method, get_method, method_variant, variant_title
from clmle.playground.problem import MAJORITY, PlaygroundProblem

CLUSTERS = 12
UNTRAINED, WITHOUT_EQ_9, ONE_CLUSTER = CLMLE_CONTROLS = (
    "clmle, untrained",
    "clmle, without Eq. 9",
    "clmle, one cluster",
)
DEFAULT_METHODS = ("softmax", "clmle", *CLMLE_CONTROLS)
_METHODS = (
    *DEFAULT_METHODS,
    *("triplet", "sphereface", "lmle", "clmle-paper"),
    *("oversampling", "class-weighting", "softmax" + TUNED),
)

_BATCHES = {"clusters_per_batch": 8, "samples_per_cluster": 8, "same_class_clusters": 4}

# What differs from the defaults, which are meant for thousands of images and 64 dimensions.
_OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "lmle": _BATCHES,
    # Eq. 9 as strong as the softmax term, nearest centroid as classifier, no threshold tuning.
    "clmle": {
        "softmax_weight": 1.0, "margin_weight": 1.0, "between_margin_fraction": 0.5, "scale": 16.0,
        "n_neighbors": 1, "stack_head": False,
    },
    "clmle-paper": _BATCHES,
}  # fmt: skip


def playground_method_names() -> tuple[str, ...]:
    """Names of the methods that :func:`train_trajectory` accepts, the default methods first."""
    return _METHODS


def playground_title(name: str) -> str:
    """Title of a method of the playground for lists and captions."""
    base, comma, control = name.partition(", ")
    return variant_title(base) + comma + control


def playground_uses_clusters(name: str) -> bool:
    """Whether the number of clusters of each class changes what a method of the playground does."""
    base = method_variant(name.partition(", ")[0])["method"]
    return get_method(base).uses_clusters and name != ONE_CLUSTER


def make_playground_method(
    name: str, task: Task, batch_size: int, problem: PlaygroundProblem, clusters: int = CLUSTERS
) -> Method:
    """A method for the playground, or a control; each class is divided into ``clusters``."""
    if name not in _METHODS:
        names = ", ".join(_METHODS)
        raise InputError(f"The playground has no method {name!r}; choose one of: {names}.")
    if clusters != int(clusters) or not 1 <= clusters <= CLUSTERS:
        raise InputError(
            f"clusters is {clusters}, but must be a whole number from 1 to {CLUSTERS}."
        )
    base = name.partition(", ")[0]
    method = get_method(method_variant(base)["method"])
    options = replace(method.Options(), **_OPTIONS.get(base, {}))
    if name == WITHOUT_EQ_9:
        options = replace(options, margin_weight=0.0)
    if name == ONE_CLUSTER:
        clusters = 1
    if method.uses_clusters:
        fewest = 1 if name == "clmle-paper" else int(clusters)
        options = replace(options, cluster_size=MAJORITY // int(clusters), min_clusters=fewest)
    return method(options, task, batch_size, problem.seed, problem.dim)
