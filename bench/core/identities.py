"""A refresh and a batch with the numbers of identities of CASIA-WebFace and MegaFace."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from bench.comparison import Comparison, Rows, Tables, fresh_process, number
from bench.machine import MEMORY, PRODUCT, median_seconds, memory_mb, timed
from clmle.cluster_index import ClusterIndex
from clmle.losses import clmle_loss
from clmle.samplers.cluster import ClusterSampler
from clmle.samplers.hard_cluster import HardClusterSampler

DIM = 512  # of the paper's features
SETS = {"CASIA-WebFace": (10_575, 494_414), "MegaFace challenge 2": (672_057, 4_753_320)}
SIGMA = 1.25  # standard deviation of the logarithm of the number of images of an identity
REPEATS = 7


def run(quick: bool = False) -> Rows:
    """Each size in a new process, so that its peak of memory is its own."""
    part = 0.02 if quick else 1.0
    return [fresh_process(one, name, int(c * part), int(n * part)) for name, (c, n) in SETS.items()]


def one(name: str, classes: int, images: int) -> dict[str, str]:
    """First clusters and a refresh, then batches and both forms of Eq. 9."""
    rng = np.random.default_rng(0)
    labels = identities(classes, images, rng)
    features = unit_features(len(labels), rng)
    before = memory_mb()
    index, first = timed(lambda: ClusterIndex.build(features, labels))
    _, again = timed(lambda: index.refresh(features))
    index.record(np.arange(len(labels)), rng.random(len(labels)))
    neighborhood, hard = ClusterSampler(index), HardClusterSampler(index, 240)
    draws = [
        median_seconds(partial(sampler.draw, rng), REPEATS) for sampler in (neighborhood, hard)
    ]
    batch, rows = neighborhood.draw(rng), hard.draw(rng)
    cluster_classes = torch.from_numpy(index.classes)
    stored = torch.from_numpy(index.centroids)

    def in_batch() -> None:
        f = leaf(features[batch.indices])
        slots, own = torch.from_numpy(batch.slots), torch.from_numpy(batch.classes)
        clmle_loss(F.normalize(f), slots, own, 0.3, 0.1, scale=8.0, denominator="mean").backward()

    def among_all() -> None:
        f = leaf(features[rows])
        # As in the default method: six nearest clusters, no within-class term.
        clmle_loss(
            F.normalize(f), None, cluster_classes, 0.3, 0.0, scale=8.0, denominator="mean",
            n_negative_clusters=6, within_weight=0.0, validate=False,
            labels=torch.from_numpy(labels[rows]), centroids=stored,
        ).backward()  # fmt: skip

    losses = [median_seconds(work, REPEATS) for work in (in_batch, among_all)]
    own = sum(a.nbytes for a in (index.labels, index.assignment, index.centroids, index.classes,
                                 index.losses)) / 2**30  # fmt: skip
    return {
        "size of": name, "identities": f"{classes:,}", "images": f"{len(labels):,}",
        "clusters": f"{index.n_clusters:,}", "features, GB": f"{features.nbytes / 2**30:.1f}",
        "first clusters, s": f"{first:.1f}", "refresh, s": f"{again:.1f}",
        "cluster-neighborhood batch, ms": f"{1000 * draws[0]:.0f}",
        "all-clusters batch, ms": f"{1000 * draws[1]:.0f}",
        "Eq. 9 in the batch, ms": f"{1000 * losses[0]:.1f}",
        "Eq. 9 among all clusters, ms": f"{1000 * losses[1]:.0f}", "index, GB": f"{own:.2f}",
        "peak above the features, GB": f"{(memory_mb() - before) / 1024:.1f}",
    }  # fmt: skip


def identities(classes: int, images: int, rng: np.random.Generator) -> np.ndarray:
    """Labels (about ``images``,) with log-normal class sizes of at least one image."""
    sizes = rng.lognormal(0, SIGMA, classes)
    counts = np.maximum(1, np.round(sizes / sizes.sum() * images)).astype(np.int64)
    return np.repeat(np.arange(classes), counts)


def unit_features(n: int, rng: np.random.Generator) -> np.ndarray:
    """Unit rows (n, DIM), float32, generated in place to save memory."""
    features = np.empty((n, DIM), dtype=np.float32)
    for start in range(0, n, 100_000):
        part = features[start : start + 100_000]
        rng.standard_normal(dtype=np.float32, out=part)
        part /= np.linalg.norm(part, axis=1, keepdims=True)
    return features


def leaf(rows: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(rows).requires_grad_()


def values(tables: Tables, limits: Mapping[str, float]) -> dict[str, Any]:
    last = tables[""][-1]
    clusters = number(last["clusters"])
    return {
        "clusters": last["clusters"], "read": 1000 * clusters * DIM * 4 / 1e9 / limits[MEMORY],
        "product": 1000 * 6 * 240 * clusters * DIM / 1e9 / limits[PRODUCT],
        "taken": last["Eq. 9 among all clusters, ms"],
        "weights": number(last["identities"]) * DIM * 4 / 2**30,
    }  # fmt: skip


COMPARISON = Comparison("identities", run, values)
