"""Samplers and the loss in gloo processes: ``python -m tests.distributed.processes FOLDER``.

Groups of two and of three processes are forked, so that PyTorch is imported once. Each process
writes the orders that it yields to FOLDER/GROUP.RANK.json, and the clusters of its loss to .npz.
"""

import json
import os
import sys
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
from torch.utils.data import DataLoader

from clmle import (
    ClassBalancedSampler,
    CLMLELoss,
    ClusterBatchSampler,
    ClusterIndex,
    HardClusterSampler,
)

GROUPS = (2, 3)
LABELS = np.repeat([0, 1, 2], [61, 20, 7])
SEVERAL = np.stack([LABELS > 0, LABELS == 2, np.arange(88) % 5 == 0], axis=1).astype(int)


def index():
    """Clusters of random features, with cached losses for half of the samples."""
    generator = np.random.default_rng(0)
    features = generator.normal(size=(88, 6)).astype(np.float32)
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    found = ClusterIndex.build(features, LABELS, cluster_size=10)
    found.record(np.arange(0, 88, 2), generator.random(44))
    return found


def samplers(**options):
    """Name -> sampler, and whether it yields batches."""
    clusters = index()
    return {
        "balanced": (ClassBalancedSampler(LABELS, 91, seed=3, **options), False),
        "multi-label": (ClassBalancedSampler(SEVERAL, seed=3, **options), False),
        "hard": (HardClusterSampler(clusters, 12, n_batches=7, seed=3, **options), True),
        "cluster": (ClusterBatchSampler(clusters, 4, 3, 2, n_batches=7, seed=3, **options), True),
    }


def orders(epochs=2, **options):
    """Name -> what a loader yields in each of some epochs."""
    found = {}
    for name, (sampler, batches) in samplers(**options).items():
        how = {"batch_sampler": sampler} if batches else {"sampler": sampler, "batch_size": None}
        loader = DataLoader(range(88), **how)
        found[name] = []
        for epoch in range(epochs):
            sampler.set_epoch(epoch)
            found[name].append([torch.as_tensor(item).tolist() for item in loader])
    return found


def trained_loss(rank, size, kept=1):
    """A loss after some steps of ``kept`` batches of consecutive numbers, and its values."""
    several = np.stack([LABELS, np.where(np.arange(88) % 3, np.arange(88) % 2, -1)], axis=1)
    loss = CLMLELoss(several, 4, cluster_size=9, class_weighting=False, reduction="none",
                     between_margin=1.0, refresh_every=60)  # fmt: skip
    batches = np.random.default_rng(1).permutation(88)[:72].reshape(-1, 6)
    features = torch.from_numpy(np.random.default_rng(2).normal(size=(3, 88, 4)))
    for step in range(3 * len(batches) // (size * kept)):
        first = (step * size + rank) * kept
        samples = batches[np.arange(first, first + kept) % len(batches)].ravel()
        value = loss(features[first // len(batches)][samples], None, torch.from_numpy(samples))
    return loss, value


def main(folder):
    torch.set_num_threads(1)
    children = []
    for size in GROUPS:
        for rank in range(size):
            child = os.fork()
            if not child:
                meeting = f"file://{folder}/meeting{size}"
                dist.init_process_group("gloo", meeting, rank=rank, world_size=size)
                found = {str(drop): orders(drop_last=drop) for drop in (False, True)}
                (folder / f"{size}.{rank}.json").write_text(json.dumps(found))
                loss, _ = trained_loss(rank, size)
                np.savez(folder / f"{size}.{rank}.npz", **loss.clusters.state())
                dist.barrier()
                os._exit(0)
            children.append(child)
    sys.exit(max(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
