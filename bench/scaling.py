"""Scaling on paper: a small model of memory, traffic and time, and points that it must foretell.

The constants are measured on small sets of synthetic unit vectors (bench/scaling_measured.py); the
model made of them (bench/scaling_model.py) is compared with larger sets, then asked about sets that
no machine at hand could hold. At the end the samplers draw from ten million classes, in fact.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.identities import identities
from bench.report import machine, print_rows, table
from bench.scaling_measured import (
    BATCH,
    DIM,
    in_own_process,
    index_of,
    median_ms,
    memory_now,
    seconds,
)
from bench.scaling_model import Model, clusters
from bench.scaling_page import draw, page
from clmle.cluster_index import ClusterIndex
from clmle.distributed_index import DistributedIndex
from clmle.files import write_text
from clmle.samplers.cluster import ClusterSampler
from clmle.samplers.hard_cluster import HardClusterSampler

HOST = 256  # GB of memory of the machine on paper
PROCESSES = 8
LINE = 10  # Gbit/s between its processes' machines, where there are several
IMAGES = [10**e for e in range(5, 10)]
CLASSES = [10**e for e in range(2, 8)]


# --- what is counted ------------------------------------------------------------------------


def index_bytes(n: int, c: int, k: int, dim: int = DIM) -> int:
    """Labels, assignment, losses and two orders of images; centroids, classes and starts of
    clusters; starts of classes and their list."""
    return 5 * 8 * n + (4 * dim + 2 * 8) * k + 2 * 8 * c + 2 * 8


def told_bytes(n: int, k: int, dim: int = DIM) -> int:
    """What all processes tell the others of a refresh: assignments and centroids by number."""
    return 16 * n + (4 * dim + 8) * k


def step_bytes(batch: int, dim: int = DIM) -> int:
    """What is told of a step: losses by row; for moving centroids, features by cluster."""
    return 16 * batch + (4 * dim + 8) * batch + 8


def counted(classes: int, each: int) -> list[dict[str, Any]]:
    """The formulas above beside the arrays that are there."""
    index, features = index_of(classes, each)
    index.refresh(features, warm=False)
    _ = index.present
    arrays = [v for v in vars(index).values() if isinstance(v, np.ndarray)]
    held = sum(a.nbytes for a in (*arrays, *index._by_class))
    shared = DistributedIndex.of(ClusterIndex.empty(index.labels, DIM), 0, 1)
    shared.refresh(features, warm=False)
    refreshed = sum(a.nbytes for a in shared.changes().values())
    rows = np.arange(BATCH)
    shared.record(rows, np.ones(BATCH))
    shared.move(rows, features[:BATCH], 0.9)
    step = sum(a.nbytes for a in shared.changes().values())
    n, k = len(index.labels), index.n_clusters
    return [
        {"what": what, "by formula": f"{a:,}", "counted": f"{b:,}", "same": a == b}
        for what, a, b in (
            ("index, bytes", index_bytes(n, classes, k), held),
            ("told of a refresh, bytes", told_bytes(n, k), refreshed),
            ("told of a step, bytes", step_bytes(BATCH), step),
        )
    ]


# --- the tables -----------------------------------------------------------------------------


def grid() -> list[tuple[int, int, int]]:
    return [(n, c, clusters(n, c)) for n in IMAGES for c in CLASSES if c <= n]


def memory(model: Model) -> list[dict[str, Any]]:
    rows = []
    for n, c, k in grid():
        process = process_bytes(model, n, c)
        rows.append(
            {
                **names(n, c, k),
                "features": size(4 * DIM * n),
                "index": size(index_bytes(n, c, k)),
                "refresh, beside": size(model.beside(n, c)),
                "one process": size(process),
                f"processes in {HOST} GB": int(HOST * 2**30 // process),
                "told of a refresh": size(told_bytes(n, k)),
                "read by a batch of one neighborhood": size(4 * DIM * k),
                "softmax weights, gradient, momentum": size(3 * 4 * DIM * c),
            }
        )
    return rows


def times(model: Model) -> list[dict[str, Any]]:
    rows = []
    for n, c, k in grid():
        first, again = c * model.found(n / c, k // c), c * model.renewed(n / c, k // c)
        rows.append(
            {
                **names(n, c, k),
                "first clusters": duration(first),
                "refresh": duration(again),
                # A class is clustered by one process.
                f"refresh, {PROCESSES} processes": duration(again / min(PROCESSES, c)),
                "batch of one neighborhood": duration(model.batch(model.neighbors, k)),
                "spread batch": duration(model.batch(model.spread, k)),
                "Eq. 9 among all": duration(model.batch(model.among, k)),
                "search among all": duration(model.batch(model.search, k)),
            }
        )
    return rows


def ends(model: Model) -> list[dict[str, Any]]:
    """Where each part ends on one machine, by the model, and what comes after."""

    def most(constants: np.ndarray, ms: float) -> str:
        return f"{max(0.0, ms - constants[0]) / max(constants[1], 1e-12):,.0f} clusters"

    an_image = 4 * DIM + 5 * 8
    a_minute = 60 * LINE * 2**30 / 8
    return [
        {"part": part, "ends at": end}
        for part, end in (
            (f"features and index of images in {HOST} GB", f"{HOST * 2**30 // an_image:,} images"),
            (f"{PROCESSES} processes of one machine, each with all of them",
             f"{HOST * 2**30 // an_image // PROCESSES:,} images"),
            (f"features gathered within a minute over {LINE} Gbit/s",
             f"{a_minute / (4 * DIM):,.0f} images"),
            (f"softmax weights of {DIM} dimensions, gradient and momentum, in 80 GB",
             f"{80 * 2**30 // (12 * DIM):,} classes"),
            ("batch of one neighborhood within 100 ms", most(model.neighbors, 100)),
            ("Eq. 9 among all clusters within 100 ms", most(model.among, 100)),
        )
    ]  # fmt: skip


def curves(model: Model) -> dict[str, dict[str, tuple[list[int], list[float]]]]:
    """What the page's figures show: seconds by clusters, GB by images."""
    parts = {
        "batch of one neighborhood": model.neighbors,
        "spread batch": model.spread,
        "Eq. 9 among all clusters": model.among,
        "search among all clusters": model.search,
    }
    ks = [10**e for e in range(2, 8)]
    by_clusters = {name: (ks, [model.batch(c, k) for k in ks]) for name, c in parts.items()}
    by_images = {}
    for c in (10**2, 10**4, 10**7):
        ns = [n for n in IMAGES if n >= c]
        by_images[f"{c:,} classes"] = (ns, [process_bytes(model, n, c) / 2**30 for n in ns])
    by_images[f"memory of the machine, {HOST} GB"] = (IMAGES, [HOST] * len(IMAGES))
    return {"time": by_clusters, "memory": by_images}


def process_bytes(model: Model, n: int, c: int) -> float:
    """Of features, index and a refresh in one process."""
    return 4 * DIM * n + index_bytes(n, c, clusters(n, c)) + model.beside(n, c)


def names(n: int, c: int, k: int) -> dict[str, str]:
    return {"images": f"{n:,}", "classes": f"{c:,}", "clusters": f"{k:,}"}


def size(count: float) -> str:
    for name, one in (("TB", 2**40), ("GB", 2**30)):
        if count >= one:
            return f"{count / one:.3g} {name}"
    return f"{count / 2**20:.3g} MB"


def duration(value: float) -> str:
    for name, one in (("days", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        if value >= one:
            return f"{value / one:.3g} {name}"
    return f"{value * 1000:.3g} ms"


# --- ten million classes, in fact -----------------------------------------------------------


def simulation(people: int, images: int, dim: int = 8, draws: int = 2000) -> list[dict[str, Any]]:
    """An index of ``people`` classes of log-normal sizes, and batches drawn from it."""
    rng = np.random.default_rng(0)
    labels = identities(people, images, rng)
    features = rng.standard_normal((len(labels), dim), dtype=np.float32)
    for start in range(0, len(labels), 10**6):
        part = features[start : start + 10**6]
        part /= np.linalg.norm(part, axis=1, keepdims=True)
    index = ClusterIndex.empty(labels, dim)
    first = seconds(lambda: index.refresh(features, warm=False))
    again = seconds(lambda: index.refresh(features))
    index.record(np.arange(len(labels)), rng.random(len(labels)))
    printed, spread = ClusterSampler(index), HardClusterSampler(index, BATCH)
    starts = [seconds(lambda: printed.draw(rng)), seconds(lambda: spread.draw(rng))]
    near = median_ms(lambda: printed.draw(rng))
    drawn: list[np.ndarray] = []
    each = (
        1000 / draws * seconds(lambda: drawn.extend(labels[spread.draw(rng)] for _ in range(draws)))
    )
    seen = len(np.unique(np.concatenate(drawn)))
    rate = np.minimum(1.0, spread.class_proportions() * BATCH)  # how often a batch has a class
    expected = float((1 - (1 - rate) ** draws).sum())
    held = index_bytes(len(labels), people, index.n_clusters, dim)
    figures = {
        "classes": f"{people:,}",
        "images": f"{len(labels):,}",
        "clusters": f"{index.n_clusters:,}",
        "dimensions": dim,
        "index by formula": size(held),
        "first clusters, s": f"{first:.1f}",
        "refresh, s": f"{again:.1f}",
        "first batch of one neighborhood, ms": f"{1000 * starts[0]:.0f}",
        "further ones, ms": f"{near:.1f}",
        "first spread batch, ms": f"{1000 * starts[1]:.0f}",
        "further ones of them, ms": f"{each:.1f}",
        f"classes seen in {draws:,} spread batches": f"{seen:,}",
        "expected of independent batches": f"{expected:,.0f}",
        "steps until each class has come once, on average": f"{1 / rate[rate > 0].min():,.0f}",
        "peak of the process, GB": f"{memory_now('VmHWM') / 1024:.1f}",
    }
    return [{"what": what, "figure": figure} for what, figure in figures.items()]


def main(quick: bool, out: Path | None) -> None:
    torch.set_num_threads(1)
    model = Model(quick)
    people = 10**5 if quick else 10**7
    titles = {
        "foretold": "Foretold and measured",
        "counted": "Counted",
        "memory": f"Memory and traffic, d = {DIM}",
        "time": f"Time on one thread a process, d = {DIM}",
        "ends": "Where one machine ends",
        "sampler": "The sampler, in fact",
    }
    rows = {
        "foretold": model.rows,
        "counted": counted(1000 if quick else 20_000, 3),
        "memory": memory(model),
        "time": times(model),
        "ends": ends(model),
        "sampler": in_own_process(simulation, people, 3 * people),
    }
    for name, title in titles.items():
        print_rows(title, rows[name])
    if out is not None:
        draw(curves(model), out.parent / "figures")
        write_text(out, page({name: table(rows[name]) for name in titles}, machine()))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--out", type=Path, help="write the page there too: docs/scaling.md")
    values = parser.parse_args()
    main(values.quick, values.out)
