"""One process against two: steps a second, and refreshing the clusters; one thread for each."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from statistics import median

import torch

from bench.comparison import Comparison, Tables
from bench.report import print_rows
from clmle.data import load_toonfaces
from clmle.presets import preset_config
from clmle.run_folder import create_run, open_run

TITLE = "Training by one process and by two (240 images of 40 x 40 a step, 6,000 to cluster)"


def run(quick: bool = False) -> list[dict]:
    """Medians of a launch; of two launches (one if ``quick``) the faster one."""
    load_toonfaces("quick")  # rendered before the clock runs
    found: dict[tuple[str, int], list[dict]] = {}
    for _ in range(1 if quick else 2):
        for case in CASES:
            for size in (1, 2):
                found.setdefault((case, size), []).append(measured(case, size, quick))
    rows = []
    for (case, size), values in found.items():
        best = {name: min(v[name] for v in values) for name in values[0]}
        rows.append(
            {
                "run": case,
                "processes": size,
                "steps a second": round(1 / best["step"], 2),
                "of a step, agreeing ms": round(1000 * best["settle"], 1),
                "features s": round(best["extract"], 2),
                "clusters s": round(best["cluster"], 3),
            }
        )
    return rows


# A batch of 240 on one attribute, and on three with an index each.
CASES = {"one attribute": "Eyeglasses", "three attributes": "Eyeglasses,Smiling,Wearing_Hat"}


def measured(case: str, size: int, quick: bool) -> dict:
    """Seconds of the parts, by ``size`` processes that torchrun starts."""
    with tempfile.TemporaryDirectory() as folder:
        config = preset_config("quick", "clmle", attribute=CASES[case])
        train = replace(config.train, pretrain_iterations=0, threads=1)
        made = create_run(folder, replace(config, train=train).to_dict())
        command = [sys.executable, "-m", "torch.distributed.run", "--standalone",
                   "--nproc-per-node", str(size), "-m", "bench.distributed",
                   "--measure", str(made.path), "--steps", "8" if quick else "30"]  # fmt: skip
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr)
        return json.loads(done.stdout.splitlines()[-1])


def measure(folder: Path, steps: int) -> None:
    """In one of the processes: some steps on the first clusters; the first one prints the times."""
    from clmle.training.distributed import leave, world_of_environment
    from clmle.training.trainer import Session

    torch.set_num_threads(1)
    world = world_of_environment()
    session = Session(open_run(folder.parent, folder.name), None, world)
    session.get_ready()
    for _ in range(2):  # the second one starts warm
        session.begin_round()
    times: dict[str, list[float]] = {"step": [], "settle": []}
    settle = world.sync_state

    def timed(*given: object) -> None:
        began = time.perf_counter()
        settle(*given)  # type: ignore[arg-type]
        times["settle"].append(time.perf_counter() - began)

    world.sync_state = timed  # type: ignore[assignment, method-assign]
    for _ in range(steps):
        began = time.perf_counter()
        session.one_step(session.method, "round 1")
        times["step"].append(time.perf_counter() - began)
    if world.is_main:
        refresh = session.run.metrics("refresh")[-1]
        found = {name: median(values) for name, values in times.items()}
        found |= {"extract": refresh["extract_seconds"], "cluster": refresh["cluster_seconds"]}
        print(json.dumps(found))
    leave(world)


def says(tables: Tables, limits: Mapping[str, float]) -> str:
    rows = tables[""]
    words = []
    for one, two in zip(rows[::2], rows[1::2], strict=True):
        times = two["steps a second"] / one["steps a second"]
        words.append(f"{one['run']} {times:.2f} times the steps a second")
    return (
        f"Two processes of one thread against one: {', '.join(words)}. The network's passes bound "
        "a step, and two processes share the machine's memory bandwidth; agreeing on gradients and "
        "on what the index learned is the part named in the table."
    )


COMPARISON = Comparison(
    "distributed",
    "Training by one process and by two",
    run,
    "240 images of 40 x 40 a step, 6,000 to cluster, one thread a process, gloo; of two launches "
    "the faster one.",
    says,
    gpu="several GPUs, NCCL",
)

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--measure", metavar="RUN", help=argparse.SUPPRESS)
    parser.add_argument("--steps", type=int, default=30, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        measure(Path(given.measure), given.steps)
    else:
        print_rows(TITLE, run(given.quick))
