"""Balanced spherical k-means against k-means-constrained, balanced_kmeans and FAISS."""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median

import numpy as np

from bench.comparison import Comparison, Rows, Tables, exponent, number
from bench.limits import pick
from bench.report import print_rows
from clmle import balanced_spherical_kmeans

SIZE = 200  # of a cluster, as in the paper
ROUNDS = 15  # that everybody may take at most
TWICE = 2  # problems that balanced_kmeans solves at once
GB = 4.0  # that its arrays of all samples by all clusters by all numbers may take
PATIENCE = 10.0  # seconds after which a contender is not asked for a larger case
KINDS = ("modes", "flat", "none", "uneven")


def features(n: int, d: int, kind: str, seed: int) -> np.ndarray:
    """Unit rows: n / 150 "modes", 40 "uneven" ones, "flat" on 8 axes, or "none" at all."""
    rng = np.random.default_rng(seed)
    if kind == "modes":
        centers = rng.normal(size=(max(2, n // 150), d))
        x = centers[rng.integers(len(centers), size=n)] + 0.9 * rng.normal(size=(n, d))
    elif kind == "uneven":
        centers = rng.normal(size=(40, d))
        shares = rng.dirichlet(np.full(40, 1.0))
        x = centers[rng.choice(40, size=n, p=shares)] + 1.2 * rng.normal(size=(n, d))
    elif kind == "flat":
        x = rng.normal(size=(n, 8)) @ rng.normal(size=(8, d)) + 0.3 * rng.normal(size=(n, d))
    else:
        x = rng.normal(size=(n, d))
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)


def objective(x: np.ndarray, labels: np.ndarray, k: int) -> float:
    """Mean f.mu with mu the normalized mean of each cluster."""
    sums = np.zeros((k, x.shape[1]))
    np.add.at(sums, labels, x)
    return float(np.linalg.norm(sums, axis=1).sum() / len(x))


# --- contenders: rows, K, seed -> cluster of every row --------------------------------------


def ours(x: np.ndarray, k: int, seed: int) -> np.ndarray:
    return balanced_spherical_kmeans(x, n_clusters=k, max_iter=ROUNDS, seed=seed).labels


def on_gpu(x: np.ndarray, k: int, seed: int) -> np.ndarray:
    """A tensor is clustered where it lies; to get it there counts."""
    import torch

    rows = torch.from_numpy(x).cuda()
    found = balanced_spherical_kmeans(rows, n_clusters=k, max_iter=ROUNDS, seed=seed)
    return found.labels.cpu().numpy()


def constrained(x: np.ndarray, k: int, seed: int) -> np.ndarray:
    from k_means_constrained import KMeansConstrained

    least, most = len(x) // k, -(-len(x) // k)
    model = KMeansConstrained(
        k, size_min=least, size_max=most, n_init=1, max_iter=ROUNDS, random_state=seed
    )
    return model.fit(x).labels_


def equal(x: np.ndarray, k: int, seed: int) -> np.ndarray:
    """balanced_kmeans takes problems in batches, and fails on a batch of one: two are given."""
    import torch
    from balanced_kmeans import kmeans_equal

    torch.manual_seed(seed)
    rows = torch.from_numpy(x)[None].repeat(TWICE, 1, 1)
    return kmeans_equal(rows, k, len(x) // k, max_iters=ROUNDS)[0][0].numpy()


def unbounded(x: np.ndarray, k: int, seed: int) -> np.ndarray:
    """FAISS without bounds of size; it would look at 256 rows a cluster unless told otherwise."""
    import faiss

    model = faiss.Kmeans(
        x.shape[1], k, niter=ROUNDS, spherical=True, seed=seed + 1, max_points_per_centroid=len(x)
    )
    model.train(x)
    return model.index.search(x, 1)[1][:, 0]


CONTENDERS: dict[str, Callable[[np.ndarray, int, int], np.ndarray]] = {
    "clmle": ours,
    "k-means-constrained": constrained,
    "balanced_kmeans": equal,
    "FAISS without sizes": unbounded,
}
if pick().type == "cuda":
    CONTENDERS["clmle on the GPU"] = on_gpu


@dataclass(frozen=True)
class Found:
    """Of one start: seconds, objective, members of the smallest and of the largest cluster."""

    seconds: float
    objective: float
    smallest: int
    largest: int


def timed(name: str, x: np.ndarray, k: int, seed: int) -> Found:
    start = time.perf_counter()
    labels = CONTENDERS[name](x, k, seed)
    seconds = time.perf_counter() - start
    if name == "balanced_kmeans":
        seconds /= TWICE
    sizes = np.bincount(labels, minlength=k)
    return Found(seconds, objective(x, labels, k), int(sizes.min()), int(sizes.max()))


def warm() -> None:
    """What is loaded at the first call is not the clustering."""
    x = features(400, 16, "flat", 0)
    for name in CONTENDERS:
        timed(name, x, 2, 0)


# --- kinds of data --------------------------------------------------------------------------


def against_peers(quick: bool) -> Rows:
    """Seconds (medians) and objectives on four kinds of data."""
    n, d, k = 8000, 64, 40
    warm()
    rows = []
    for kind in KINDS:
        found: dict[str, list[Found]] = {name: [] for name in CONTENDERS}
        for seed in range(1 if quick else 3):
            x = features(n, d, kind, seed)
            for name in CONTENDERS:
                if name == "balanced_kmeans" and seed:
                    continue  # it takes by far the longest
                # What takes moments is taken often.
                tries = [timed(name, x, k, seed) for _ in range(5 if name[:5] == "clmle" else 1)]
                found[name].append(replace(tries[0], seconds=median(t.seconds for t in tries)))
        row = {"data": kind, "n": f"{n:,}", "K": k}
        for name, runs in found.items():
            row[f"{name}, s"] = f"{median(run.seconds for run in runs):.3g}"
        for name in list(CONTENDERS)[1:]:
            pairs = zip(found["clmle"], found[name], strict=False)
            ratio = median(mine.objective / theirs.objective for mine, theirs in pairs)
            row[f"objective / {name}"] = f"{ratio:.4f}"
        for name in CONTENDERS:
            least, most = (
                min(r.smallest for r in found[name]),
                max(r.largest for r in found[name]),
            )
            row[f"sizes, {name}"] = f"{least}" if least == most else f"{least} to {most}"
        rows.append(row)
    return rows


def says_against(tables: Tables, limits: Mapping[str, float]) -> str:
    rows = tables[""]
    times = {
        name: [number(r[f"{name}, s"]) / number(r["clmle, s"]) for r in rows] for name in CONTENDERS
    }
    n, k = number(rows[0]["n"]), number(rows[0]["K"])
    product = 1000 * 2 * n * k * 64 / 1e9 / limits["product, GFLOP/s"]
    cost = min(number(r["objective / FAISS without sizes"]) for r in rows)
    return (
        f"{_between(times['k-means-constrained'])} times as fast as k-means-constrained, at equal "
        f"sizes and the objective beside it; {_between(times['balanced_kmeans'])} times as fast as "
        "balanced_kmeans. What bounds it: one product of all samples with all clusters is "
        f"{product:.2f} ms at the rate above; there are some 25 passes over parts of the data, "
        "each a product and the largest of every row, and about as much again in sorts for the "
        "exact sizes. FAISS shows what equal sizes cost where modes are uneven: there our "
        f"objective is {cost:.4f} of its.\n\nbalanced_kmeans 0.1.0 does not give equal sizes (last "
        "columns): a sample that is already given away has no place in the list of a later "
        "cluster, is taken for its nearest, and taken again. Its time is half of that of two equal "
        "problems, since a batch of one fails, on one draw of the data. `kmeans` of the same "
        "package stops in a debugger (`pdb.set_trace()` in its loop) and is left out."
    )


def _between(values: Sequence[float]) -> str:
    return f"{min(values):.0f} to {max(values):.0f}"


# --- random starts --------------------------------------------------------------------------


def starts(quick: bool) -> Rows:
    """Objectives of many starts of both on one draw, relative to the mean of theirs."""
    rows = []
    for kind in ("modes", "uneven"):
        x = features(8000, 64, kind, 0)
        mine = [timed("clmle", x, 40, seed).objective for seed in range(4 if quick else 40)]
        theirs = [
            timed("k-means-constrained", x, 40, seed).objective for seed in range(2 if quick else 8)
        ]
        mean = float(np.mean(theirs))
        rows.append(
            {
                "data": kind,
                "our starts": len(mine),
                "mean": f"{np.mean(mine) / mean:.4f}",
                "smallest": f"{min(mine) / mean:.4f}",
                "largest": f"{max(mine) / mean:.4f}",
                "their starts": len(theirs),
                "their smallest": f"{min(theirs) / mean:.4f}",
                "their largest": f"{max(theirs) / mean:.4f}",
            }
        )
    return rows


# --- growth ---------------------------------------------------------------------------------

SWEEPS = {
    "n": [(n, 64, n // SIZE) for n in (2000, 4000, 8000, 16_000, 32_000, 64_000)],
    "d": [(8000, d, 40) for d in (16, 64, 256)],
    "K": [(8000, 64, k) for k in (10, 40, 160)],
}


def possible(name: str, n: int, d: int, k: int) -> bool:
    """balanced_kmeans makes two arrays of n x K x d for each of its problems."""
    return name != "balanced_kmeans" or TWICE * 2 * 4 * n * d * k / 2**30 <= GB


def growth(quick: bool) -> Tables:
    """Seconds of every contender over n at one cluster size, over d and over K; exponents."""
    warm()
    rows: Rows = []
    exponents: dict[str, dict[str, str]] = {name: {} for name in CONTENDERS}
    for what, cases in SWEEPS.items():
        measured: dict[str, list[tuple[int, float]]] = {name: [] for name in CONTENDERS}
        for n, d, k in cases[:3] if quick else cases:
            row = {"over": what, "n": f"{n:,}", "d": d, "K": k}
            for name in CONTENDERS:
                last = measured[name][-1][1] if measured[name] else 0.0
                if last > PATIENCE or not possible(name, n, d, k):
                    row[f"{name}, s"] = "too long" if last > PATIENCE else "too large"
                    continue
                repeats = 1 if quick or last > 1 else 3
                s = median(
                    timed(name, features(n, d, "flat", i), k, i).seconds for i in range(repeats)
                )
                measured[name].append(({"n": n, "d": d, "K": k}[what], s))
                row[f"{name}, s"] = f"{s:.3g}"
            rows.append(row)
        for name, points in measured.items():
            sizes, seconds = zip(*points, strict=True)
            exponents[name][f"exponent in {what}"] = f"{exponent(sizes, seconds):.2f}"
    return {
        "": rows,
        "Exponents b of seconds = a size^b": [
            {"contender": name, **values} for name, values in exponents.items()
        ],
    }


def says_growth(tables: Tables, limits: Mapping[str, float]) -> str:
    by = {row["contender"]: row for row in tables["Exponents b of seconds = a size^b"]}
    last = tables[""][len(SWEEPS["n"]) - 1 if len(tables[""]) > 9 else 2]
    return (
        f"With n at clusters of {SIZE} the time grows as n^{by['clmle']['exponent in n']} "
        f"(k-means-constrained: {by['k-means-constrained']['exponent in n']}, balanced_kmeans: "
        f"{by['balanced_kmeans']['exponent in n']}, FAISS: "
        f"{by['FAISS without sizes']['exponent in n']}). k-means-constrained solves a network flow "
        "with n x K edges a round; balanced_kmeans holds an array of n x K x d numbers twice, and "
        f"looks at n x K numbers and sorts n for every cluster (*too large*: beyond {GB:g} GB); "
        "FAISS compares all samples with all clusters, n^2 at one cluster size, at the rate of a "
        "product. Ours looks at neighboring clusters only. "
        f"*Too long*: the case before took over {PATIENCE:g} s. "
        f"At n = {last['n']} FAISS takes {last['FAISS without sizes, s']} s and ours "
        f"{last['clmle, s']} s."
    )


def large(quick: bool) -> Rows:
    """Seconds and peak memory of fresh processes over n at cluster size 200."""
    sizes = [10_000, 20_000, 40_000] if quick else [10_000, 20_000, 40_000, 80_000, 162_770]
    rows: Rows = []
    for n in sizes:
        done = subprocess.run(
            [sys.executable, "-m", "bench.clustering", "--one", str(n)],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        seconds, warm, megabytes, value = map(float, done.stdout.split())
        rows.append({"n": f"{n:,}", "K": n // SIZE, "seconds": seconds, "warm start s": warm,
                     "peak MB": round(megabytes), "objective": value})  # fmt: skip
    return rows


def says_large(tables: Tables, limits: Mapping[str, float]) -> str:
    rows = tables[""]
    grown = exponent([number(r["n"]) for r in rows], [number(r["seconds"]) for r in rows])
    last = rows[-1]
    whole = 2 * number(last["n"]) * last["K"] * 64 / 1e9 / limits["product, GFLOP/s"]
    return (
        f"Time grows as n^{grown:.2f} over this range. What bounds it: at the end every sample is "
        f"compared with every centroid once, in blocks: at n = {last['n']} a product of "
        f"{whole:.2f} s at the rate above, and the largest of every row. That pass is n^2 at one "
        "cluster size, so the exponent rises beyond 10^6; the rest is products with neighboring "
        "clusters, gathers and sorts, which memory bounds."
    )


def _one(n: int) -> None:
    x = features(n, 64, "flat", 0)
    balanced_spherical_kmeans(x[:2000], SIZE)
    start = time.perf_counter()
    got = balanced_spherical_kmeans(x, SIZE)
    seconds = time.perf_counter() - start
    peak = _peak_megabytes()
    start = time.perf_counter()
    balanced_spherical_kmeans(x, SIZE, init=got.centroids)
    warm = time.perf_counter() - start
    print(round(seconds, 3), round(warm, 3), peak, round(got.objective, 4))


def _peak_megabytes() -> float:
    """Largest resident memory of this process (the kernel's own count starts at its parent's)."""
    with open("/proc/self/status", encoding="utf-8") as file:
        return next(int(line.split()[1]) / 1024 for line in file if line.startswith("VmHWM"))


AGAINST = Comparison(
    "clustering",
    "Balanced spherical k-means against its peers",
    against_peers,
    "One start, at most 15 rounds each, d = 64; the objective is the mean f.mu with mu the "
    "normalized mean. Medians over three draws of the data. Only FAISS leaves sizes free.",
    says_against,
    gpu="the same with features on it",
)
STARTS = Comparison(
    "clustering-starts",
    "How much a random start matters",
    starts,
    "n = 8,000, d = 64, K = 40, one draw of the data; objectives relative to the mean of those "
    "that k-means-constrained finds.",
)
GROWTH = Comparison(
    "clustering-growth",
    "Growth with n, d and K",
    growth,
    'Data of kind "flat", medians over three draws (one where a case takes over a second), at '
    "most 15 rounds each.",
    says_growth,
    gpu="the same with features on it",
)
LARGE = Comparison(
    "clustering-large",
    "Growth at CelebA's size",
    large,
    'Clusters of 200, d = 64, data of kind "flat", every n in a fresh process.',
    says_large,
)

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        _one(arguments.one)
    else:
        print_rows(AGAINST.title, against_peers(arguments.quick))
