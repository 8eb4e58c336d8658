"""The rule that judges, as a run's best round left it."""

from __future__ import annotations

from typing import Any

from clmle.methods.base import HeadRule, Rule
from clmle.methods.clmle import NearestClusterRule
from clmle.run_folder import RunFolder
from clmle.training.checkpoint import load_tensors


def load_rule(run: RunFolder, facts: dict[str, Any] | None = None) -> Rule:
    """The rule of the best round; ``facts`` are those of its weights, read if not given."""
    groups, stored = load_tensors(run.model_path)
    chosen = (facts or stored)["chosen"]
    if "rule" not in groups:
        return HeadRule()
    return NearestClusterRule(
        groups["rule"]["centroids"].numpy(),
        groups["rule"]["classes"].numpy(),
        chosen["n_neighbors"],
        chosen["rule"],
        chosen["scale"],
    )
