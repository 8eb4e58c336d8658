"""A training step on a GPU: softmax, CLMLE, peers, and fourteen heads; one JSON file.

python -m bench.gpu [--out FILE] [--quick]; ``bench/gpu.sh`` runs it after the tests of a GPU. A
step is timed as a whole: sampling, images, forward, loss, backward, update. Without a GPU the same
steps are measured on the CPU, which only tests this module.
"""

import argparse
import warnings
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch

from bench.comparison import FOLDER, Rows, Tables, conditions
from bench.core.step import HardTriplet
from bench.machine import clock, pick
from clmle.data.base import Dataset
from clmle.data.multilabel import multi_task
from clmle.device import to_device
from clmle.files import write_json
from clmle.methods import Method, Outputs, get_method
from clmle.methods._multi_label import MultiLabel
from clmle.models.network import MultiNetwork, Network
from clmle.training.extraction import autocast
from clmle.training.images import ImageSource

SHAPE = (55, 47, 3)
BATCH, HEADS, DIM = 240, 14, 64
GROUPS, GROUP, WARM_UP = 20, 10, 2  # groups of steps, after each of which the GPU is waited for
SINGLE: dict[str, type[Method]] = {
    "softmax": get_method("softmax"),
    "clmle": get_method("clmle"),
    "clmle-paper": get_method("clmle-paper"),
    "triplet, hard mining (pytorch-metric-learning)": HardTriplet,
    "triplet, all semi-hard (pytorch-metric-learning)": get_method("triplet"),
    "multi-similarity (pytorch-metric-learning)": get_method("multi-similarity"),
    "arcface (pytorch-metric-learning)": get_method("arcface"),
    "crl": get_method("crl"),
    "range": get_method("range"),
}


def run(quick: bool = False) -> Tables:
    """Milliseconds of a step and waits of the host, of one task and of fourteen heads."""
    n, backbone = (960, "tiny") if quick else (20_000, "small")
    data = noise_images(n)
    one = multi_task(data).tasks[0]
    single: dict[str, Callable[[int], None]] = {}
    for name, kind in SINGLE.items():
        method = kind(kind.Options(), one, BATCH, 0, DIM)
        single[name] = step_of(method, one, Network(backbone, 3, SHAPE[:2], DIM, 2))
    many: dict[str, Callable[[int], None]] = {}
    for name, method_name in (("softmax", "softmax"), ("clmle", "clmle"), ("loop", "clmle")):
        kind = get_method(method_name)
        task = multi_task(data)
        heads = MultiLabel(kind, kind.Options(), task, BATCH, 0, DIM)
        network = MultiNetwork(backbone, 3, SHAPE[:2], DIM, HEADS)
        label = "clmle, heads in a loop" if name == "loop" else name
        many[label] = step_of(heads, task, network, stacked=name != "loop")
    return {"": measured(single, quick), f"{HEADS} heads": measured(many, quick)}


def noise_images(n: int) -> Dataset:
    """Images of noise with attributes of 50 to 2 percent, of which the loss depends on no pixel."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (n, *SHAPE), dtype=np.uint8)
    fractions = np.geomspace(0.5, 0.02, HEADS)
    labels = {f"a{i}": (rng.random(n) < p).astype(np.int8) for i, p in enumerate(fractions)}
    split = rng.choice([0, 1, 2], n, p=[0.8, 0.1, 0.1]).astype(np.int8)
    return Dataset("noise", images, split, labels)


def step_of(
    method: Any, task: Any, network: torch.nn.Module, stacked: bool = True
) -> Callable[[int], None]:
    """A function that trains step ``number`` as the trainer does."""
    device = pick()
    network.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    method.modules.to(device)
    parameters = [*network.parameters(), *method.modules.parameters()]
    optimizer = torch.optim.SGD(parameters, 0.01, 0.9)
    source = ImageSource(task.images, device)
    labels = torch.from_numpy(task.labels).to(device)
    shape = (len(task.train), *task.labels.shape[1:], DIM)
    features = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    method.start_round(0, features)
    if not stacked:
        method.stack = None

    def step(number: int) -> None:
        batch = method.sample_batch(number)
        rows = task.train[batch.indices]
        images = source.batch(rows, np.random.default_rng(number))
        with autocast(device, "auto"):
            z, logits = network(images)
        outputs = Outputs(z.float(), logits.float(), labels[to_device(rows, device)])
        loss = method.loss(outputs, batch)
        optimizer.zero_grad(set_to_none=True)
        loss.total.backward()
        loss.after_backward()
        optimizer.step()

    return step


def measured(contenders: dict[str, Callable[[int], None]], quick: bool) -> Rows:
    """Median milliseconds of a step, relative to softmax, and waits; contenders in turn."""
    laps: dict[str, list[float]] = {name: [] for name in contenders}
    waits = {name: waits_of(step) for name, step in contenders.items()}
    groups, size, warm_up = (1, 1, 0) if quick else (GROUPS, GROUP, WARM_UP)
    for group in range(warm_up + groups):
        for name, step in contenders.items():
            began = clock()
            for number in range(group * size, (group + 1) * size):
                step(number)
            if group >= warm_up:
                laps[name].append(1000 * (clock() - began) / size)
    times = {name: median(values) for name, values in laps.items()}
    return [
        {
            "method": name,
            "step ms": f"{ms:.2f}",
            "times softmax": f"{ms / times['softmax']:.2f}",
            "images/s": f"{1000 * BATCH / ms:.0f}",
            "waits": waits[name],
        }
        for name, ms in times.items()
    ]


def waits_of(step: Callable[[int], None]) -> int | None:
    """How often the host waits for the GPU in the second step; None on a CPU."""
    step(0)
    if pick().type != "cuda":
        return None
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        step(1)
        torch.cuda.set_sync_debug_mode("default")
    return sum("synchronizing CUDA" in str(one.message) for one in seen)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.gpu", description=__doc__)
    parser.add_argument("--out", type=Path, default=FOLDER / "gpu.json", help="the JSON file")
    parser.add_argument("--quick", action="store_true", help="measure one step of small cases")
    given = parser.parse_args()
    record = {"tables": run(True)} if given.quick else conditions("bench/gpu.sh", run)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    write_json(given.out, record)
    for rows in record["tables"].values():
        for row in rows:
            print("  ".join(f"{name} {value}" for name, value in row.items()), flush=True)


if __name__ == "__main__":
    main()
