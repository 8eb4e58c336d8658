"""Pictures of many points by t-SNE and UMAP, through clmle.projection."""

from __future__ import annotations

import time
from collections.abc import Mapping

import numpy as np
import torch

from bench.comparison import Comparison, Rows, Tables, exponent, number
from clmle.projection import project

SIZES = (5_000, 20_000, 100_000)
DIM, MODES = 64, 40
PATIENCE = 600.0  # seconds that a picture may take, foretold from the sizes before
ASKED, NEAR = 1000, 15  # points whose nearest neighbors are compared


def points(n: int) -> np.ndarray:
    """Unit rows of 40 modes."""
    rng = np.random.default_rng(0)
    centers = rng.normal(size=(MODES, DIM)).astype(np.float32)
    x = centers[rng.integers(MODES, size=n)] + rng.standard_normal((n, DIM), dtype=np.float32)
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def kept(x: np.ndarray, picture: np.ndarray) -> float:
    """Share of the nearest neighbors of some points that are so in the picture too."""
    rows = np.random.default_rng(1).choice(len(x), ASKED, replace=False)
    found = []
    for of in map(torch.from_numpy, (x, picture)):
        near = torch.cdist(of[rows], of).topk(NEAR + 1, largest=False)  # itself is among them
        found.append(near.indices.numpy())
    both = [len(np.intersect1d(a, b)) - 1 for a, b in zip(*found, strict=True)]
    return float(np.mean(both)) / NEAR


def run(quick: bool = False) -> Rows:
    """Seconds of each; libraries compile before the clock runs."""
    rows: Rows = []
    for method in ("umap", "tsne"):
        # UMAP looks for neighbors in another way beyond 4,096 points, and compiles that too.
        project(points(500 if quick else SIZES[0]), method)
        done: list[tuple[int, float]] = []
        for n in (1000, 2000) if quick else SIZES:
            name = {"umap": "UMAP", "tsne": "t-SNE (openTSNE)"}[method]
            row = {"method": name, "points": f"{n:,}"}
            # Neither grows much faster than n; from two sizes on the growth is known.
            grows = exponent(*zip(*done, strict=True)) if len(done) > 1 else 1.2
            foretold = done[-1][1] * (n / done[-1][0]) ** grows if done else 0.0
            if foretold > PATIENCE:
                rows.append(row | {"seconds": f"not tried: about {foretold:.0f}", "kept": ""})
                continue
            x = points(n)
            start = time.perf_counter()
            picture = project(x, method)
            seconds = time.perf_counter() - start
            done.append((n, seconds))
            rows.append(row | {"seconds": f"{seconds:.1f}", "kept": f"{kept(x, picture):.2f}"})
    return rows


def says(tables: Tables, limits: Mapping[str, float]) -> str:
    words = []
    for name in dict.fromkeys(row["method"] for row in tables[""]):
        mine = [r for r in tables[""] if r["method"] == name and r["kept"]]
        sizes, seconds = ([number(r[key]) for r in mine] for key in ("points", "seconds"))
        if len(mine) > 1:
            words.append(f"{name} grows as n^{exponent(sizes, seconds):.2f}")
    return (
        "; ".join(words) + ". Both run on one thread, which makes the same picture of the same "
        "seed. What bounds them is not arithmetic: a step moves every point by those of its "
        "neighbors, which lie anywhere in memory, some hundred times over; t-SNE's forces "
        "between all points are interpolated on a grid by Fourier transforms."
    )


COMPARISON = Comparison(
    "projections",
    "t-SNE and UMAP",
    run,
    f"Unit vectors of {MODES} modes in {DIM} dimensions, settings of the app, one run each; "
    f"*kept*: share of the {NEAR} nearest neighbors of {ASKED:,} points that are so in the "
    "picture.",
    says,
)
