"""One process against two, one thread each: steps per second and refresh of the clusters."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch

from bench.comparison import Comparison, Tables
from bench.machine import timed
from clmle.data import load_toonfaces
from clmle.presets import preset_config
from clmle.run_folder import create_run, open_run


def run(quick: bool = False) -> list[dict]:
    """Medians of a launch; the faster one of two launches (of one if ``quick``)."""
    load_toonfaces("quick")  # rendered before the measurement
    found: dict[tuple[str, int], list[dict]] = {}
    with tempfile.TemporaryDirectory() as folder:
        noise = random_attributes(Path(folder))
        for _ in range(1 if quick else 2):
            for case in CASES:
                for size in (1, 2):
                    found.setdefault((case, size), []).append(measured(case, size, quick, noise))
    best = {
        key: {name: min(v[name] for v in values) for name in values[0]}
        for key, values in found.items()
    }
    return [
        {
            "run": case, "processes": size, "steps/s": round(1 / part["step"], 2),
            "synchronization, ms a step": round(1000 * part["sync"], 1),
            "features, s": round(part["extract"], 2), "clusters, s": round(part["cluster"], 3),
        }
        for (case, size), part in best.items()
    ]  # fmt: skip


# Batches of 240 images; several attributes have an index each.
FORTY = "forty random attributes"
CASES = {
    "one attribute": "Eyeglasses", "three attributes": "Eyeglasses,Smiling,Wearing_Hat",
    FORTY: "all",
}  # fmt: skip
IMAGES, SIDE = 9_000, 40  # of them two thirds for training, as many as of the faces


def random_attributes(folder: Path) -> str:
    """A file of noise images with 40 attributes of 3 to 48 %: the time does not depend on them."""
    draw = np.random.default_rng(0)
    images = draw.integers(0, 256, (IMAGES, SIDE, SIDE, 3), dtype=np.uint8)
    columns = {
        f"a{i:02d}": (draw.random(IMAGES) < rate).astype(np.int64)
        for i, rate in enumerate(np.linspace(0.03, 0.48, 40))
    }
    np.savez(folder / "forty.npz", images=images, **columns)
    return str(folder / "forty.npz")


def measured(case: str, size: int, quick: bool, noise: str) -> dict:
    """Seconds of the parts in ``size`` processes started by torchrun."""
    with tempfile.TemporaryDirectory() as folder:
        data = noise if case == FORTY else "toonfaces"
        config = preset_config("quick", "clmle", data, attribute=CASES[case])
        config = replace(config, data=replace(config.data, image_size=SIDE))
        train = replace(config.train, pretrain_iterations=0, threads=1)
        made = create_run(folder, replace(config, train=train).to_dict())
        command = [sys.executable, "-m", "torch.distributed.run", "--standalone",
                   "--nproc-per-node", str(size), "-m", "bench.core.distributed",
                   str(made.path), "8" if quick else "30"]  # fmt: skip
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr)
        return json.loads(done.stdout.splitlines()[-1])


def measure(folder: Path, steps: int) -> None:
    """In each process: some steps on the first clusters. The main process prints the times."""
    from clmle.training.distributed import leave, world_of_environment
    from clmle.training.trainer import Trainer

    torch.set_num_threads(1)
    world = world_of_environment()
    engine = Trainer(open_run(folder.parent, folder.name), None, world)
    engine.set_up()
    for _ in range(2):  # the second starts from the clusters of the first
        engine.refresh()
    times: dict[str, list[float]] = {"step": [], "sync": []}
    sync_state = world.sync_state

    def synchronize(*given: Any) -> None:
        times["sync"].append(timed(lambda: sync_state(*given))[1])

    world.sync_state = synchronize  # type: ignore[assignment, method-assign]
    for _ in range(steps):
        times["step"].append(timed(lambda: engine.one_step(engine.method, "round 1"))[1])
    if world.is_main:
        refresh = engine.run.metrics("refresh")[-1]
        found = {name: median(values) for name, values in times.items()}
        found |= {"extract": refresh["extract_seconds"], "cluster": refresh["cluster_seconds"]}
        print(json.dumps(found))
    leave(world)


def values(tables: Tables, limits: Mapping[str, float]) -> dict[str, Any]:
    rows = tables[""]
    words = [
        f"{one['run']} {two['steps/s'] / one['steps/s']:.2f} times the steps/s"
        for one, two in zip(rows[::2], rows[1::2], strict=True)
    ]
    return {"relative": ", ".join(words)}


COMPARISON = Comparison("distributed", run, values)

if __name__ == "__main__":  # started by torchrun, in measured()
    measure(Path(sys.argv[1]), int(sys.argv[2]))
