"""Exchange of arrays among the processes of ``torch.distributed``; nothing is pickled."""

from collections.abc import Mapping

import numpy as np
import torch
import torch.distributed as dist


def n_processes() -> int:
    """Number of processes of the default group, 1 without one."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def gather_arrays(arrays: Mapping[str, np.ndarray]) -> list[dict[str, np.ndarray]]:
    """Return the named arrays of every process, in order of rank."""
    from safetensors.numpy import load, save

    whole = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    return [load(data) for data in gather_bytes(save(whole))]


def gather_bytes(data: bytes) -> list[bytes]:
    """Return the bytes of every process, in order of rank."""
    # NCCL alone sends only what is on a GPU.
    device = "cpu" if "cpu" in dist.get_backend_config() else "cuda"
    mine = torch.frombuffer(bytearray(data), dtype=torch.uint8)
    length = torch.tensor([len(data)], device=device)
    sizes = [torch.zeros_like(length) for _ in range(dist.get_world_size())]
    dist.all_gather(sizes, length)
    longest = max(int(size) for size in sizes)
    padded = torch.zeros(longest, dtype=torch.uint8, device=device)
    padded[: len(data)] = mine.to(device)
    all_data = [torch.empty_like(padded) for _ in sizes]
    dist.all_gather(all_data, padded)
    return [d[: int(s)].cpu().numpy().tobytes() for d, s in zip(all_data, sizes, strict=True)]
