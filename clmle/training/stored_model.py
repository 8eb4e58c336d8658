"""What a trained model consists of, as stored: in a run folder, or in the folder of a model."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from clmle.config import Config
from clmle.errors import InputError
from clmle.run_folder import RunFolder
from clmle.training.checkpoint import load_weights
from clmle.training.prepare import config_from_dict


@dataclass(frozen=True)
class StoredModel:
    """Weights, classifier and what is needed to build and to describe a model.

    ``groups`` holds the tensors of the network and of the classifier, ``facts`` what
    :meth:`clmle.training.evaluator.Evaluator.save_best` stored with them. ``card`` returns the text
    of the model card.
    """

    name: str
    path: Path  # of the weights
    config: Config
    groups: dict[str, dict[str, torch.Tensor]]
    facts: dict[str, Any]
    class_names: tuple[str, ...]
    attributes: tuple[str, ...]
    value_range: tuple[float, float] | None
    card: Callable[[], str]


def stored_in_run(run: RunFolder) -> StoredModel:
    """Return the model of the best round of a run."""
    if not run.model_path.exists():
        raise InputError(f"Run {run.name} has no weights yet; wait for its first round.")
    config = config_from_dict(run.config())
    groups, facts = load_weights(run.model_path)

    def card() -> str:
        from clmle.training.model_card import card_of_run

        return card_of_run(run, facts)

    class_names, attributes = names_of(run, facts)
    return StoredModel(
        run.name, run.model_path, config, groups, facts, class_names, attributes, run.value_range,
        card,
    )  # fmt: skip


def names_of(run: RunFolder, facts: dict[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of classes and of attributes; versions before 0.3 stored them in the result alone."""
    known = facts if "class_names" in facts else run.result() or {}
    return tuple(known.get("class_names", ())), tuple(known.get("attributes", ()))
