"""The rule that judges, as a run's best round left it."""

from __future__ import annotations

from typing import Any

from clmle.classifiers._base import Classifier, restore_classifier
from clmle.run_folder import RunFolder
from clmle.training.checkpoint import load_tensors


def load_classifier(run: RunFolder, facts: dict[str, Any] | None = None) -> Classifier:
    """The rule of the best round; ``facts`` are those of its weights, read if not given."""
    groups, stored = load_tensors(run.model_path)
    facts = facts or stored
    arrays = {name: tensor.numpy() for name, tensor in groups.get("rule", {}).items()}
    return restore_classifier(facts["classifier_kind"], arrays, facts["chosen"])
