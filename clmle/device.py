"""Copies between the host and a device that make the host wait as little as possible."""

from typing import Any

import numpy as np
import torch


def to_device(values: Any, device: torch.device, dtype: torch.dtype | None = None) -> torch.Tensor:
    """Copy an array or a tensor to ``device``; the host does not wait for a GPU.

    On the CPU the result shares the memory of ``values`` where it can.
    """
    tensor = torch.as_tensor(values, dtype=dtype)
    if device.type == "cuda" and tensor.device.type == "cpu":
        tensor = tensor.pin_memory()  # only copies of pinned memory run next to other work
    return tensor.to(device, non_blocking=True)


def to_host(*tensors: torch.Tensor) -> list[np.ndarray]:
    """Copy tensors of one type to arrays, with a single wait for their device."""
    if all(tensor.device.type == "cpu" for tensor in tensors):
        return [tensor.detach().numpy() for tensor in tensors]
    flat = torch.cat([tensor.detach().reshape(-1) for tensor in tensors]).cpu()
    parts = flat.split([tensor.numel() for tensor in tensors])
    return [part.view(t.shape).numpy() for part, t in zip(parts, tensors, strict=True)]
