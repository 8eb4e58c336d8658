"""Balanced spherical k-means against k-means-constrained, balanced_kmeans and FAISS."""

from collections.abc import Callable, Mapping
from functools import partial
from statistics import median
from typing import Any, NamedTuple

import numpy as np

from bench.comparison import Comparison, Rows, Tables, exponent, fresh_process, number
from bench.machine import PRODUCT, memory_mb, pick, timed
from clmle import balanced_spherical_kmeans

SIZE = 200  # of a cluster, as in the paper
ITERATIONS = 15  # at most, of every implementation
COPIES = 2  # problems that balanced_kmeans solves at once
GB = 4.0  # limit of the arrays of samples x clusters x dimensions of balanced_kmeans
PATIENCE = 10.0  # seconds after which an implementation is not given a larger case
KINDS = ("modes", "flat", "none", "uneven")
OURS, CONSTRAINED, EQUAL, FAISS = (
    "clmle", "k-means-constrained", "balanced_kmeans", "FAISS without sizes"
)  # fmt: skip
EXPONENTS = "Exponents b of seconds = a size^b"
FEWER = f"Fewer iterations, relative to {ITERATIONS} of FAISS"


def features(n: int, d: int, kind: str, seed: int) -> np.ndarray:
    """Unit rows (n, d): n / 150 "modes", 40 "uneven" modes, "flat" on 8 axes, or "none"."""
    rng = np.random.default_rng(seed)
    if kind == "modes":
        centers = rng.normal(size=(max(2, n // 150), d))
        x = centers[rng.integers(len(centers), size=n)] + 0.9 * rng.normal(size=(n, d))
    elif kind == "uneven":
        centers = rng.normal(size=(40, d))
        weights = rng.dirichlet(np.full(40, 1.0))
        x = centers[rng.choice(40, size=n, p=weights)] + 1.2 * rng.normal(size=(n, d))
    elif kind == "flat":
        x = rng.normal(size=(n, 8)) @ rng.normal(size=(8, d)) + 0.3 * rng.normal(size=(n, d))
    else:
        x = rng.normal(size=(n, d))
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)


def objective(x: np.ndarray, labels: np.ndarray, k: int) -> float:
    """Mean f.mu, where mu is the normalized mean of each cluster."""
    sums = np.zeros((k, x.shape[1]))
    np.add.at(sums, labels, x)
    return float(np.linalg.norm(sums, axis=1).sum() / len(x))


# Implementations: rows (n, d), K, seed -> cluster of every row (n,).


def ours(x: np.ndarray, k: int, seed: int) -> np.ndarray:
    return balanced_spherical_kmeans(x, n_clusters=k, max_iter=ITERATIONS, seed=seed).labels


def on_gpu(x: np.ndarray, k: int, seed: int) -> np.ndarray:
    """A tensor is clustered on its device; the transfer is included."""
    import torch

    rows = torch.from_numpy(x).cuda()
    found = balanced_spherical_kmeans(rows, n_clusters=k, max_iter=ITERATIONS, seed=seed)
    return found.labels.cpu().numpy()


def constrained(x: np.ndarray, k: int, seed: int) -> np.ndarray:
    from k_means_constrained import KMeansConstrained

    sizes = {"size_min": len(x) // k, "size_max": -(-len(x) // k)}
    model = KMeansConstrained(k, **sizes, n_init=1, max_iter=ITERATIONS, random_state=seed)
    return model.fit(x).labels_


def equal(x: np.ndarray, k: int, seed: int) -> np.ndarray:
    """balanced_kmeans solves batches of problems and fails on a batch of one: it gets two."""
    import torch
    from balanced_kmeans import kmeans_equal

    torch.manual_seed(seed)
    rows = torch.from_numpy(x)[None].repeat(COPIES, 1, 1)
    return kmeans_equal(rows, k, len(x) // k, max_iters=ITERATIONS)[0][0].numpy()


def unbounded(x: np.ndarray, k: int, seed: int) -> np.ndarray:
    """FAISS without bounds on the sizes, on all rows (its default is 256 for each cluster)."""
    import faiss

    model = faiss.Kmeans(
        x.shape[1], k, niter=ITERATIONS, spherical=True, seed=seed + 1,
        max_points_per_centroid=len(x),
    )  # fmt: skip
    model.train(x)
    return model.index.search(x, 1)[1][:, 0]


CONTENDERS: dict[str, Callable[[np.ndarray, int, int], np.ndarray]] = {
    OURS: ours, CONSTRAINED: constrained, EQUAL: equal, FAISS: unbounded,
}  # fmt: skip
if pick().type == "cuda":
    CONTENDERS["clmle on the GPU"] = on_gpu


class Found(NamedTuple):
    """Of one run: seconds, objective, members of the smallest and of the largest cluster."""

    seconds: float
    objective: float
    smallest: int
    largest: int


def measured(name: str, x: np.ndarray, k: int, seed: int) -> Found:
    labels, seconds = timed(lambda: CONTENDERS[name](x, k, seed))
    sizes = np.bincount(labels, minlength=k)
    return Found(
        seconds / (COPIES if name == EQUAL else 1),
        objective(x, labels, k),
        sizes.min(),
        sizes.max(),
    )


def warm_up() -> None:
    """The first call of each loads its libraries."""
    for name in CONTENDERS:
        measured(name, features(400, 16, "flat", 0), 2, 0)


def peers(quick: bool) -> Rows:
    """Seconds (medians) and objectives on four kinds of data."""
    n, d, k = 8000, 64, 40
    warm_up()
    rows = []
    for kind in KINDS:
        found: dict[str, list[Found]] = {name: [] for name in CONTENDERS}
        for seed in range(1 if quick else 3):
            x = features(n, d, kind, seed)
            for name in CONTENDERS:
                if name == EQUAL and seed:
                    continue  # by far the slowest
                tries = [measured(name, x, k, seed) for _ in range(5 if name[:5] == OURS else 1)]
                found[name].append(tries[0]._replace(seconds=median(t.seconds for t in tries)))
        seconds, objectives, sizes = {}, {}, {}
        for name, runs in found.items():
            seconds[f"{name}, s"] = f"{median(run.seconds for run in runs):.3g}"
            if name != OURS:
                pairs = zip(found[OURS], runs, strict=False)
                ratio = median(mine.objective / theirs.objective for mine, theirs in pairs)
                objectives[f"objective / {name}"] = f"{ratio:.4f}"
            ends = {min(run.smallest for run in runs), max(run.largest for run in runs)}
            sizes[f"sizes, {name}"] = " to ".join(map(str, sorted(ends)))
        rows.append({"data": kind, "n": f"{n:,}", "K": k} | seconds | objectives | sizes)
    return rows


def values_of_peers(tables: Tables, limits: Mapping[str, float]) -> dict[str, Any]:
    rows = tables[""]

    def speed(name: str) -> str:
        ratios = [number(r[f"{name}, s"]) / number(r[f"{OURS}, s"]) for r in rows]
        return f"{min(ratios):.0f} to {max(ratios):.0f}"

    n, k = number(rows[0]["n"]), number(rows[0]["K"])
    return {
        "constrained": speed(CONSTRAINED), "equal": speed(EQUAL),
        "product": 1000 * 2 * n * k * 64 / 1e9 / limits[PRODUCT],
        "cost": min(number(r[f"objective / {FAISS}"]) for r in rows),
    }  # fmt: skip


SWEEPS = {
    "n": [(n, 64, n // SIZE) for n in (2000, 4000, 8000, 16_000, 32_000, 64_000)],
    "d": [(8000, d, 40) for d in (16, 64, 256)],
    "K": [(8000, 64, k) for k in (10, 40, 160)],
}


def growth(quick: bool) -> Tables:
    """Seconds over n at one cluster size, over d and over K; exponents."""
    warm_up()
    rows: Rows = []
    exponents: dict[str, dict[str, str]] = {name: {} for name in CONTENDERS}
    for what, cases in SWEEPS.items():
        points: dict[str, list[tuple[int, float]]] = {name: [] for name in CONTENDERS}
        for n, d, k in cases[:3] if quick else cases:
            row = {"over": what, "n": f"{n:,}", "d": d, "K": k}
            for name in CONTENDERS:
                last = points[name][-1][1] if points[name] else 0.0
                # balanced_kmeans allocates two arrays of n x K x d for each of its problems.
                too_large = name == EQUAL and COPIES * 2 * 4 * n * d * k / 2**30 > GB
                if last > PATIENCE or too_large:
                    row[f"{name}, s"] = "too long" if last > PATIENCE else "too large"
                    continue
                draws = range(1 if quick or last > 1 else 3)
                s = median(measured(name, features(n, d, "flat", i), k, i).seconds for i in draws)
                points[name].append(({"n": n, "d": d, "K": k}[what], s))
                row[f"{name}, s"] = f"{s:.3g}"
            rows.append(row)
        for name, found in points.items():
            exponents[name][f"exponent in {what}"] = f"{exponent(*zip(*found, strict=True)):.2f}"
    return {
        "": rows,
        EXPONENTS: [{"implementation": name, **values} for name, values in exponents.items()],
        FEWER: [fewer(n, kind, 3) for n in (8000, *([] if quick else [64_000])) for kind in KINDS],
    }


def fewer(n: int, kind: str, draws: int) -> dict[str, Any]:
    """Time and objective, relative to FAISS, of fewer iterations."""
    k = n // SIZE
    row: dict[str, Any] = {"data": kind, "n": f"{n:,}", "K": k}
    data = [features(n, 64, kind, seed) for seed in range(draws)]
    theirs = [measured(FAISS, x, k, seed) for seed, x in enumerate(data)]
    for steps in (3, 5, 8, ITERATIONS):
        times, objectives = [], []
        for seed, (x, other) in enumerate(zip(data, theirs, strict=True)):
            run = partial(balanced_spherical_kmeans, x, n_clusters=k, max_iter=steps, seed=seed)
            found, seconds = timed(run)
            times.append(seconds / other.seconds)
            objectives.append(found.objective / other.objective)
        row[f"time, {steps} iterations"] = f"{median(times):.1f}"
        row[f"objective, {steps}"] = f"{median(objectives):.4f}"
    return row


def values_of_growth(tables: Tables, limits: Mapping[str, float]) -> dict[str, Any]:
    by = {row["implementation"]: row["exponent in n"] for row in tables[EXPONENTS]}
    last = tables[""][len(SWEEPS["n"]) - 1 if len(tables[""]) > 9 else 2]

    def times(n: str, steps: int) -> str:
        found = [number(r[f"time, {steps} iterations"]) for r in tables[FEWER] if r["n"] == n]
        return f"{min(found):g} to {max(found):g}"

    few = tables[FEWER]
    return {
        "small": few[0]["n"], "many": few[-1]["n"],
        "small_5": times(few[0]["n"], 5), "small_all": times(few[0]["n"], ITERATIONS),
        "many_5": times(few[-1]["n"], 5), "many_all": times(few[-1]["n"], ITERATIONS),
        "lost": 100 * max(
            1 - number(r["objective, 5"]) / number(r[f"objective, {ITERATIONS}"]) for r in few
        ),
        "clmle": by[OURS], "constrained": by[CONSTRAINED], "equal": by[EQUAL], "faiss": by[FAISS],
        "n": last["n"], "faiss_seconds": last[f"{FAISS}, s"], "clmle_seconds": last[f"{OURS}, s"],
    }  # fmt: skip


def large(quick: bool) -> Rows:
    """Seconds and peak memory in new processes over n at cluster size 200."""
    sizes = [10_000, 20_000, 40_000] if quick else [10_000, 20_000, 40_000, 80_000, 162_770]
    return [fresh_process(one_large, n) for n in sizes]


def one_large(n: int) -> dict[str, float | str]:
    x = features(n, 64, "flat", 0)
    balanced_spherical_kmeans(x[:2000], SIZE)
    found, seconds = timed(lambda: balanced_spherical_kmeans(x, SIZE))
    peak = memory_mb()
    _, warm = timed(lambda: balanced_spherical_kmeans(x, SIZE, init=found.centroids))
    return {
        "n": f"{n:,}", "K": n // SIZE, "seconds": round(seconds, 3), "warm start s": round(warm, 3),
        "peak MB": round(peak), "objective": round(found.objective, 4),
    }  # fmt: skip


def values_of_large(tables: Tables, limits: Mapping[str, float]) -> dict[str, Any]:
    rows = tables[""]
    grown = exponent([number(r["n"]) for r in rows], [number(r["seconds"]) for r in rows])
    last = rows[-1]
    product = 2 * number(last["n"]) * last["K"] * 64 / 1e9 / limits[PRODUCT]
    return {"grown": grown, "n": last["n"], "product": product}


PEERS = Comparison("clustering", peers, values_of_peers)
GROWTH = Comparison("clustering-growth", growth, values_of_growth)
LARGE = Comparison("clustering-large", large, values_of_large)
