"""Which methods the live sphere shows, with their options for a few hundred points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from clmle.data.base import Task
from clmle.errors import InputError
from clmle.methods import Method, get_method
from clmle.playground.problem import MAJORITY, PlaygroundProblem

CLUSTERS = 12
FAMOUS_FIVE = ("softmax", "triplet", "sphereface", "lmle", "clmle")

_BATCHES = {"clusters_per_batch": 8, "samples_per_cluster": 8, "same_class_clusters": 4}

# What differs from the defaults, which are meant for thousands of images and 64 dimensions.
_OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "softmax": {},
    "triplet": {},
    "sphereface": {},
    "lmle": _BATCHES,
    # Eq. 9 alone, so that it can be watched by itself: nearest centroid, nothing fitted after.
    "clmle": {
        "softmax_weight": 0.0,
        "margin_weight": 1.0,
        "scale": 16.0,
        "n_neighbors": 1,
        "joint": False,
        "offset": False,
    },
    "clmle-paper": _BATCHES,
    "oversampling": {},
    "cost-sensitive": {},
    "threshold-moving": {},
}


def playground_method_names() -> tuple[str, ...]:
    """Names that :func:`train_trajectory` accepts; the paper's Fig. 2 and softmax come first."""
    return (*FAMOUS_FIVE, *(name for name in _OPTIONS if name not in FAMOUS_FIVE))


def make_playground_method(
    name: str, task: Task, batch_size: int, problem: PlaygroundProblem, clusters: int = CLUSTERS
) -> Method:
    """A method of the registry for the sphere; both classes are cut into ``clusters`` of them.

    As printed a class smaller than one cluster of the majority is a single cluster.
    """
    if name not in _OPTIONS:
        raise InputError(
            f"The sphere does not show {name!r}; choose one of: {', '.join(playground_method_names())}."
        )
    if clusters != int(clusters) or not 1 <= clusters <= CLUSTERS:
        raise InputError(
            f"clusters is {clusters}, but must be a whole number from 1 to {CLUSTERS}."
        )
    method = get_method(name)
    options = replace(method.Options(), **_OPTIONS[name])
    if method.uses_clusters:
        fewest = 1 if name == "clmle-paper" else int(clusters)
        options = replace(options, cluster_size=MAJORITY // int(clusters), min_clusters=fewest)
    return method(options, task, batch_size, problem.seed, problem.dim)
