"""The whole state of a run in one safetensors file: saved atomically, loaded without pickle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

from clmle.errors import InputError
from clmle.files import atomic_path, from_json
from clmle.methods import Method
from clmle.methods.multi_label import MultiLabel


def save_tensors(path: Path, groups: dict[str, dict[str, torch.Tensor]], facts: Any) -> None:
    """Write ``groups`` of tensors as "group/name" and ``facts`` (JSON) beside them."""
    from safetensors.torch import save

    flat = {
        f"{group}/{name}": tensor.detach().cpu().contiguous().clone()
        for group, tensors in groups.items()
        for name, tensor in tensors.items()
    }
    with atomic_path(path) as temporary:
        temporary.write_bytes(save(flat, metadata={"facts": json.dumps(facts)}))


def load_tensors(path: Path) -> tuple[dict[str, dict[str, torch.Tensor]], Any]:
    """What :func:`save_tensors` wrote.

    Raises
    ------
    InputError
        The file is missing or damaged.
    """
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


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    """Momentum buffers by the number of their parameter."""
    state = optimizer.state_dict()["state"]
    return {
        str(number): values["momentum_buffer"]
        for number, values in state.items()
        if values.get("momentum_buffer") is not None
    }


def restore_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, torch.Tensor]) -> None:
    """Put momentum buffers back."""
    state = optimizer.state_dict()
    state["state"] = {int(n): {"momentum_buffer": t} for n, t in tensors.items()}
    optimizer.load_state_dict(state)


def take(
    network: torch.nn.Module, optimizer: torch.optim.Optimizer, method: Method | MultiLabel
) -> dict[str, dict[str, torch.Tensor]]:
    """Copies of all tensors that the next step depends on."""
    groups = {
        "network": network.state_dict(),
        "optimizer": optimizer_tensors(optimizer),
        "method": method.state(),
        "own": method.modules.state_dict(),
    }
    return {group: {k: v.clone() for k, v in tensors.items()} for group, tensors in groups.items()}


def put_back(
    groups: dict[str, dict[str, torch.Tensor]],
    network: torch.nn.Module,
    optimizer: torch.optim.Optimizer,
    method: Method | MultiLabel,
) -> None:
    """Make everything as it was when :func:`take` gave ``groups``, which stay as they are."""
    network.load_state_dict(groups.get("network", {}))
    optimizer.state.clear()
    momentum = {k: v.clone() for k, v in groups.get("optimizer", {}).items()}
    restore_optimizer(optimizer, momentum)
    method.load_state(groups.get("method", {}))
    method.modules.load_state_dict(groups.get("own", {}))
