"""Estimated duration of a run, from a few steps of its network on this machine."""

import time
from collections.abc import Callable

import torch

from clmle.config import TrainConfig
from clmle.jobs.process import START
from clmle.training.extraction import autocast, pick_device
from clmle.training.factory import network_for_shape

FEW = 8  # images of the first measurement: a whole batch of a large network takes seconds
LONG = 0.25  # seconds; a step of FEW images that takes less is measured with a whole batch
OVERHEAD = 1.3  # validation, features for clusters, loss and batches, relative to the steps


def estimate_run_seconds(
    train: TrainConfig, shape: tuple[int, ...], heads: int | None = None, *, threads: int = 0
) -> float:
    """Estimate the seconds of a whole run, as if no other process used the processor.

    Other processes delay a step of several threads out of proportion, each time a thread waits for
    another; the processor time of one thread bounds what a step takes without them.
    """
    device = pick_device(train.device)
    before = torch.get_num_threads()
    if threads or train.threads:
        torch.set_num_threads(threads or train.threads)
    try:
        with torch.random.fork_rng(devices=[]):  # leaves the caller's random state as it is
            network = network_for_shape(train, shape, heads).to(device)
            n = min(FEW, train.batch_size)
            seconds = _step(network, shape, n, train.precision)
            if seconds < LONG:
                n = train.batch_size
                seconds = min(_step(network, shape, n, train.precision) for _ in range(2))
            if device.type == "cpu":
                torch.set_num_threads(1)
                few = min(FEW, n)
                alone = _step(network, shape, few, train.precision, clock=time.thread_time)
                seconds = min(seconds, alone * n / few)
    finally:
        torch.set_num_threads(before)
    return START + OVERHEAD * train.iterations * seconds * train.batch_size / n


def _step(
    network: torch.nn.Module,
    shape: tuple[int, ...],
    n: int,
    precision: str,
    clock: Callable[[], float] | None = None,
) -> float:
    """Seconds of one forward and backward pass over ``n`` images."""
    clock = clock or time.perf_counter
    device = next(network.parameters()).device
    height, width, channels = shape if len(shape) == 3 else (1, 1, *shape)
    images = torch.rand(n, channels, height, width, device=device)
    images = images.contiguous(memory_format=torch.channels_last)
    network.zero_grad(set_to_none=True)
    began = clock()
    with autocast(device, precision):
        features, logits = network(images)
    (features.float().square().mean() + logits.float().square().mean()).backward()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return clock() - began
