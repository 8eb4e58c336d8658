"""Checkpoints and weights as safetensors files: written atomically, loaded without pickle."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from clmle.classifiers._base import Classifier, restore_classifier
from clmle.errors import InputError
from clmle.files import atomic_path, from_json
from clmle.methods import Method
from clmle.methods._multi_label import MultiLabel
from clmle.run_folder import kinds
from clmle.stored_json import check, damaged
from clmle.training.sgd import SGD


def save_tensors(path: Path, groups: dict[str, dict[str, torch.Tensor]], facts: Any) -> None:
    """Write ``groups`` of tensors as "group/name", with ``facts`` (JSON) as metadata."""
    from safetensors.torch import save

    flat = {
        f"{group}/{name}": tensor.detach().cpu().contiguous().clone()
        for group, tensors in groups.items()
        for name, tensor in tensors.items()
    }
    with atomic_path(path) as temporary:
        temporary.write_bytes(save(flat, metadata={"facts": json.dumps(facts)}))


def load_tensors(path: Path) -> tuple[dict[str, dict[str, torch.Tensor]], Any]:
    """Read the groups and the facts that :func:`save_tensors` wrote."""
    from safetensors import SafetensorError, safe_open

    groups: dict[str, dict[str, torch.Tensor]] = {}
    try:
        with safe_open(path, framework="pt") as file:
            facts = from_json((file.metadata() or {}).get("facts", "null"))
            for key in file.keys():  # noqa: SIM118  (not a mapping)
                group, _, name = key.partition("/")
                groups.setdefault(group, {})[name] = file.get_tensor(key)
    except (OSError, ValueError, SafetensorError) as error:
        raise InputError(f"{path} cannot be read as weights ({error}); restore it.") from error
    return groups, facts


def load_weights(path: Path) -> tuple[dict[str, dict[str, torch.Tensor]], dict[str, Any]]:
    """Read the weights of the best round of a run and their facts, which are checked."""
    groups, facts = load_tensors(path)
    check(path, facts, kinds.WEIGHTS)
    if "network" not in groups:
        raise damaged(path, "it holds no network")
    return groups, facts


def fill(network: nn.Module, weights: dict[str, torch.Tensor], path: Path) -> None:
    """Load ``weights`` of the file ``path`` into a network."""
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        raise of_another_network(path) from error


def classifier_of(
    groups: dict[str, dict[str, torch.Tensor]], facts: dict[str, Any], shape: tuple[int, ...],
    dim: int, path: Path,
) -> Classifier:  # fmt: skip
    """Restore the classifier of logits of ``shape`` (C,) or (A, 2) that is stored in ``path``."""
    features, logits = np.ones((1, *shape[:-1], dim), np.float32), np.ones((1, *shape), np.float32)
    try:
        arrays = {name: tensor.numpy() for name, tensor in groups.get("classifier", {}).items()}
        found = restore_classifier(facts["classifier_kind"], arrays, facts["chosen"])
        fits = found.scores(features, logits).shape == logits.shape
        fits &= all(array.dtype.kind in "iuf" for array in arrays.values())
    except Exception as error:  # what is stored may have any type and shape
        raise of_another_network(path) from error
    if not fits:
        raise of_another_network(path)
    return found


def of_another_network(path: Path) -> InputError:
    """Return the error about weights that fit no network of the configuration."""
    return InputError(f"{path} does not hold the network of config.json; restore one of them.")


def copy_state(
    network: nn.Module, optimizer: SGD, method: Method | MultiLabel
) -> dict[str, dict[str, torch.Tensor]]:
    """Copy all tensors that the next step depends on; momentum by number of the parameter."""
    momentum = {str(number): buffer for number, buffer in optimizer.momentum_buffers.items()}
    groups = {
        "network": network.state_dict(),
        "optimizer": momentum,
        "method": method.state(),
        "modules": method.modules.state_dict(),
    }
    return {group: {k: v.clone() for k, v in tensors.items()} for group, tensors in groups.items()}


def restore_state(
    groups: dict[str, dict[str, torch.Tensor]],
    network: nn.Module,
    optimizer: SGD,
    method: Method | MultiLabel,
) -> None:
    """Restore what :func:`copy_state` returned; ``groups`` are not changed by later steps."""
    network.load_state_dict(groups.get("network", {}))
    optimizer.restore({int(number): b for number, b in groups.get("optimizer", {}).items()})
    method.load_state(groups.get("method", {}))
    method.modules.load_state_dict(groups.get("modules", {}))
