"""The orders that several gloo processes yield: ``python -m tests.samplers.processes FOLDER``.

Groups of two and of three processes are forked, so that PyTorch is imported once. Each process
writes what it yields to FOLDER/GROUP.RANK.json.
"""

import json
import os
import sys
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
from torch.utils.data import DataLoader

from clmle import ClassBalancedSampler, ClusterBatchSampler, ClusterIndex, HardClusterSampler

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
                dist.barrier()
                os._exit(0)
            children.append(child)
    sys.exit(max(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
