"""As many identities as CASIA-WebFace and MegaFace's training set have: a round and a batch.

Features are synthetic unit vectors; time and memory depend on their number alone. The network
itself is not part of it.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import time
from collections.abc import Callable, Mapping
from functools import partial
from statistics import median
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from bench.comparison import Comparison, Tables, number
from bench.report import print_rows
from clmle.cluster_index import ClusterIndex
from clmle.losses import clmle_loss
from clmle.losses.retrieved import retrieved_margin_loss
from clmle.samplers.cluster import ClusterSampler
from clmle.samplers.hard_cluster import HardClusterSampler

TITLE = "Identities in great numbers"
DIM = 512  # of the paper's features
SETS = {"CASIA-WebFace": (10_575, 494_414), "MegaFace challenge 2": (672_057, 4_753_320)}
SPREAD = 1.25  # standard deviation of the logarithm of an identity's number of images
REPEATS = 7


def run(quick: bool = False) -> list[dict]:
    """Each set in a process of its own, so that its peak of memory is its own too."""
    context = multiprocessing.get_context("spawn")
    rows = []
    for name, (people, images) in SETS.items():
        share = 0.02 if quick else 1.0
        with context.Pool(1) as pool:
            rows.append(pool.apply(one, (name, int(people * share), int(images * share))))
    return rows


def one(name: str, people: int, images: int) -> dict:
    """Clusters for the first time and renewed, then batches and both forms of Eq. 9."""
    rng = np.random.default_rng(0)
    labels = identities(people, images, rng)
    features = unit_features(len(labels), rng)
    before = peak()
    index = None

    def build() -> None:
        nonlocal index
        index = ClusterIndex.build(features, labels)

    first = seconds(build)
    assert index is not None
    again = seconds(lambda: index.refresh(features))
    index.record(np.arange(len(labels)), rng.random(len(labels)))
    # Most identities have fewer images than the 20 of a cluster that a batch wants.
    printed, spread = ClusterSampler(index), HardClusterSampler(index, 240)
    draws = [median_ms(partial(sampler.draw, rng)) for sampler in (printed, spread)]
    batch, rows = printed.draw(rng), spread.draw(rng)
    classes = torch.from_numpy(index.classes)
    stored = torch.from_numpy(index.centroids)

    def in_batch() -> None:
        f = leaf(features[batch.indices])
        slots, own = torch.from_numpy(batch.slots), torch.from_numpy(batch.classes)
        clmle_loss(F.normalize(f), slots, own, 0.3, 0.1, scale=8.0, denominator="mean").backward()

    def among_all() -> None:
        f = leaf(features[rows])
        y = torch.from_numpy(labels[rows])
        retrieved_margin_loss(F.normalize(f), y, stored, classes, 0.3).mean().backward()

    losses = [median_ms(work) for work in (in_batch, among_all)]
    own = sum(a.nbytes for a in (index.labels, index.assignment, index.centroids, index.classes,
                                 index.losses)) / 2**30  # fmt: skip
    return {
        "as many as": name,
        "identities": f"{people:,}",
        "images": f"{len(labels):,}",
        "clusters": f"{index.n_clusters:,}",
        "features, GB": f"{features.nbytes / 2**30:.1f}",
        "first clusters, s": f"{first:.1f}",
        "refresh, s": f"{again:.1f}",
        "batch of one neighborhood, ms": f"{draws[0]:.0f}",
        "spread batch, ms": f"{draws[1]:.0f}",
        "Eq. 9 in the batch, ms": f"{losses[0]:.1f}",
        "Eq. 9 among all clusters, ms": f"{losses[1]:.0f}",
        "index, GB": f"{own:.2f}",
        "peak above the features, GB": f"{peak() - before:.1f}",
    }


def identities(people: int, images: int, rng: np.random.Generator) -> np.ndarray:
    """Labels (about ``images``,) of log-normal numbers, one image or more each."""
    sizes = rng.lognormal(0, SPREAD, people)
    counts = np.maximum(1, np.round(sizes / sizes.sum() * images)).astype(np.int64)
    return np.repeat(np.arange(people), counts)


def unit_features(n: int, rng: np.random.Generator) -> np.ndarray:
    """(n, DIM) float32, made in place: twice the memory would not be there."""
    features = np.empty((n, DIM), dtype=np.float32)
    for start in range(0, n, 100_000):
        part = features[start : start + 100_000]
        rng.standard_normal(dtype=np.float32, out=part)
        part /= np.linalg.norm(part, axis=1, keepdims=True)
    return features


def leaf(rows: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(rows).requires_grad_()


def seconds(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def median_ms(work: Callable[[], Any]) -> float:
    return 1000 * median(seconds(work) for _ in range(REPEATS))


def peak() -> float:
    """Largest memory of this process so far, GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def says(tables: Tables, limits: Mapping[str, float]) -> str:
    last = tables[""][-1]
    clusters = number(last["clusters"])
    read = 1000 * clusters * DIM * 4 / 1e9 / limits["memory, GB/s"]
    product = 1000 * 6 * 240 * clusters * DIM / 1e9 / limits["product, GFLOP/s"]
    weights = number(last["identities"]) * DIM * 4 / 2**30
    taken = last["Eq. 9 among all clusters, ms"]
    return (
        "Gathering single-cluster identities reads the features once, in no order the memory "
        "likes, which bounds clusters and refresh. The clusters nearest to a query are one "
        f"product with all centroids: with {last['clusters']} of them reading alone takes "
        f"{read:.0f} ms at the bandwidth above. Eq. 9 among all clusters is three "
        f"products of the batch with all of them, {product:.0f} ms at the rate above, and "
        f"takes {taken} ms, mostly to write and read what stands between the products: take "
        "`--batches neighborhood --centroids batch` there, as the paper does. A softmax over so "
        f"many identities, which the recipe has beside Eq. 9, is {weights:.1f} GB of weights more, "
        "three times that while it learns; `--softmax-weight 0` leaves it out."
    )


COMPARISON = Comparison(
    "identities",
    TITLE,
    run,
    f"Synthetic unit features of {DIM} numbers, log-normal numbers of images as in the sets named, "
    "one cluster for each identity with fewer than 400 images. Each row is a process of its own.",
    says,
)

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    print_rows(TITLE, run(parser.parse_args().quick))
