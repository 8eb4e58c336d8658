"""Checkpoints and weights as safetensors files: written atomically, loaded without pickle."""

import json
from pathlib import Path
from typing import Any

import torch
from torch import nn

from clmle.classifiers._base import Classifier, restore_classifier
from clmle.errors import InputError
from clmle.files import atomic_path, from_json
from clmle.methods import Method
from clmle.methods._multi_label import MultiLabel
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


def load_classifier(path: Path, facts: dict[str, Any]) -> Classifier:
    """Restore the classifier of the best round from the weights of a run and their facts."""
    groups, _ = load_tensors(path)
    return classifier_of(groups, facts)


def classifier_of(groups: dict[str, dict[str, torch.Tensor]], facts: dict[str, Any]) -> Classifier:
    """Restore a classifier from the groups of tensors and the facts that were stored with them."""
    arrays = {name: tensor.numpy() for name, tensor in groups.get("classifier", {}).items()}
    return restore_classifier(facts["classifier_kind"], arrays, facts["chosen"])


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
