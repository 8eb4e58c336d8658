"""Duration of t-SNE and UMAP by the number of points (clmle.projection)."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import torch

from bench.comparison import Comparison, Rows, Tables, exponent, number
from bench.machine import timed
from clmle.projection import project

SIZES = (5_000, 20_000, 100_000)
DIM, MODES = 64, 40
PATIENCE = 600.0  # seconds that a projection may take, extrapolated from smaller sizes
SAMPLED, NEAR = 1000, 15  # points whose nearest neighbors are compared


def points(n: int) -> np.ndarray:
    """Unit rows of 40 modes."""
    rng = np.random.default_rng(0)
    centers = rng.normal(size=(MODES, DIM)).astype(np.float32)
    x = centers[rng.integers(MODES, size=n)] + rng.standard_normal((n, DIM), dtype=np.float32)
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def kept(x: np.ndarray, projected: np.ndarray) -> float:
    """Fraction of the nearest neighbors of some points that are also neighbors in 2-D."""
    rows = np.random.default_rng(1).choice(len(x), SAMPLED, replace=False)
    found = []
    for of in map(torch.from_numpy, (x, projected)):
        near = torch.cdist(of[rows], of).topk(NEAR + 1, largest=False)  # includes the point itself
        found.append(near.indices.numpy())
    both = [len(np.intersect1d(a, b)) - 1 for a, b in zip(*found, strict=True)]
    return float(np.mean(both)) / NEAR


def run(quick: bool = False) -> Rows:
    """Seconds of each; the libraries compile before the measurement."""
    rows: Rows = []
    for method in ("umap", "tsne"):
        # UMAP searches neighbors differently above 4,096 points and compiles that, too.
        project(points(500 if quick else SIZES[0]), method)
        done: list[tuple[int, float]] = []
        for n in (1000, 2000) if quick else SIZES:
            name = {"umap": "UMAP", "tsne": "t-SNE (openTSNE)"}[method]
            row = {"method": name, "points": f"{n:,}"}
            grows = exponent(*zip(*done, strict=True)) if len(done) > 1 else 1.2
            expected = done[-1][1] * (n / done[-1][0]) ** grows if done else 0.0
            if expected > PATIENCE:
                rows.append(
                    row | {"seconds": f"not run: about {expected:.0f}", "neighbors kept": ""}
                )
                continue
            x = points(n)
            projected, seconds = timed(partial(project, x, method))
            done.append((n, seconds))
            rows.append(
                row | {"seconds": f"{seconds:.1f}", "neighbors kept": f"{kept(x, projected):.2f}"}
            )
    return rows


def values(tables: Tables, limits: Mapping[str, float]) -> dict[str, Any]:
    growth = []
    for name in dict.fromkeys(row["method"] for row in tables[""]):
        mine = [r for r in tables[""] if r["method"] == name and r["neighbors kept"]]
        sizes, seconds = ([number(r[key]) for r in mine] for key in ("points", "seconds"))
        if len(mine) > 1:
            growth.append(f"{name} grows as n^{exponent(sizes, seconds):.2f}")
    return {"growth": "; ".join(growth)}


COMPARISON = Comparison("projections", run, values)
