"""How long a run will take, from a few steps of its network on this machine."""

from __future__ import annotations

import time

import torch

from clmle.config import TrainConfig
from clmle.training.factory import network_for_shape
from clmle.training.network import autocast, pick_device

FEW = 8  # images to begin with: a large network needs seconds for them
LONG = 0.25  # seconds of a step that is measured as it is; shorter ones with a whole batch
BESIDE = 1.3  # all that is not a step: validation, features for clusters, loss and batches
START = 6.0  # seconds until the first step: imports, data, the first features


def estimate_run_seconds(
    train: TrainConfig, shape: tuple[int, int, int], heads: int | None = None, *, threads: int = 0
) -> float:
    """Seconds of a whole run on images of ``shape`` (height, width, channels); a rough figure.

    ``heads``: attributes that are learned together, if several are; ``threads`` of this process,
    0 as they are.

    Raises
    ------
    InputError
        An unknown backbone or device, or images too small for it.
    """
    device = pick_device(train.device)
    before = torch.get_num_threads()
    if threads or train.threads:
        torch.set_num_threads(threads or train.threads)
    try:
        with torch.random.fork_rng(devices=[]):  # nobody's random numbers change by asking
            network = network_for_shape(train, shape, heads).to(device)
            n = min(FEW, train.batch_size)
            seconds = _step(network, shape, n, train.precision)
            if seconds < LONG:
                n = train.batch_size
                seconds = min(_step(network, shape, n, train.precision) for _ in range(2))
    finally:
        torch.set_num_threads(before)
    return START + BESIDE * train.iterations * seconds * train.batch_size / n


def _step(network: torch.nn.Module, shape: tuple[int, int, int], n: int, precision: str) -> float:
    """Seconds of forward and backward of ``n`` images."""
    device = next(network.parameters()).device
    height, width, channels = shape
    images = torch.rand(n, channels, height, width, device=device)
    images = images.contiguous(memory_format=torch.channels_last)
    network.zero_grad(set_to_none=True)
    began = time.perf_counter()
    with autocast(device, precision):
        features, logits = network(images)
    (features.float().square().mean() + logits.float().square().mean()).backward()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - began
