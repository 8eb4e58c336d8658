"""A training step by method: the cost of sampling and loss relative to a softmax step."""

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar

import numpy as np
import torch

from bench.comparison import Comparison, Rows, Tables, number
from bench.machine import PRODUCT, clock, gflop, pick, timed
from clmle.data import load_toonfaces
from clmle.methods import Method, get_method
from clmle.methods._base import Outputs
from clmle.methods.triplet import Triplet
from clmle.models.network import Network
from clmle.training.images import ImageSource

BATCH = 240
PARTS = ("sampling", "images", "network", "loss")
OVERHEAD = "sampling + loss, % of a softmax step"


class HardTriplet(Triplet):
    """Batch-hard triplets (Hermans 2017) in place of all semi-hard ones, for timing only."""

    title: ClassVar[str] = "Triplet, hard mining"

    def make(self) -> Any:
        from pytorch_metric_learning.miners import BatchHardMiner

        loss = super().make()
        self.miner = BatchHardMiner(distance=loss.distance)
        return loss


def contenders() -> dict[str, type[Method]]:
    return {
        "softmax": get_method("softmax"), "clmle": get_method("clmle"),
        "clmle-paper": get_method("clmle-paper"),
        "triplet, hard mining (pytorch-metric-learning)": HardTriplet,
        "triplet, all semi-hard (pytorch-metric-learning)": get_method("triplet"),
        "lmle, quintuplets": get_method("lmle"), "crl": get_method("crl"),
    }  # fmt: skip


def run(quick: bool = False) -> Rows:
    """Medians of the parts of a step; steps of all methods alternate on one network."""
    task = load_toonfaces("quick").task("Eyeglasses")
    device = pick()
    torch.manual_seed(0)
    network = Network("small", 3, 40, 64, 2).to(device)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.SGD(network.parameters(), 0.01, 0.9)
    source = ImageSource(task.images, device)
    labels = torch.from_numpy(task.labels).to(device)
    methods = {name: cls(cls.Options(), task, BATCH, 0) for name, cls in contenders().items()}
    rng = np.random.default_rng(0)
    features = rng.normal(size=(len(task.train), 64)).astype(np.float32)
    first = {
        name: timed(partial(method.start_round, 0, features))[1] for name, method in methods.items()
    }
    laps: dict[str, list[np.ndarray]] = {name: [] for name in methods}
    for step in range(4 if quick else 30):
        for name, method in methods.items():
            times = [clock()]
            batch = method.sample_batch(step)
            times.append(clock())
            rows = task.train[batch.indices]
            images = source.batch(rows, np.random.default_rng(step))
            times.append(clock())
            z, logits = network(images)
            times.append(clock())
            loss = method.loss(Outputs(z, logits, labels[torch.from_numpy(rows)]), batch)
            optimizer.zero_grad()
            # The backward pass of the loss, up to z and logits, counts as loss.
            grads = torch.autograd.grad(
                loss.total, [z, logits], allow_unused=True, retain_graph=True
            )
            times.append(clock())
            pairs = [(o, g) for o, g in zip((z, logits), grads, strict=True) if g is not None]
            torch.autograd.backward([o for o, _ in pairs], [g for _, g in pairs])
            loss.after_backward()
            optimizer.step()
            times.append(clock())
            sampling, loading, forward, losses, backward = np.diff(times)
            laps[name].append(np.array([sampling, loading, forward + backward, losses]))
    # Medians in ms, by part of the step; the first step is a warm-up.
    parts = {
        name: dict(zip(PARTS, 1000 * np.median(laps[name][1:], axis=0), strict=True))
        for name in methods
    }
    whole = sum(parts["softmax"].values())
    work = gflop(lambda: network(source.batch(task.train[:BATCH]))[1].sum().backward())
    return [
        {
            "method": name,
            **{f"{part} ms": f"{v:.2f}" for part, v in ms.items()},
            "step ms": f"{sum(ms.values()):.1f}",
            OVERHEAD: f"{100 * (ms['sampling'] + ms['loss']) / whole:.1f}",
            "images/s": f"{1000 * BATCH / sum(ms.values()):.0f}",
            "network GFLOP/s": f"{1000 * work / ms['network']:.0f}",
            "first clusters ms": f"{1000 * first[name]:.0f}" if methods[name].uses_clusters else "",
        }
        for name, ms in parts.items()
    ]


def values(tables: Tables, limits: Mapping[str, float]) -> dict[str, Any]:
    by = {row["method"]: row for row in tables[""]}
    others = ", ".join(f"{name} {row[OVERHEAD]} %" for name, row in by.items() if name != "clmle")
    rate = number(by["softmax"]["network GFLOP/s"])
    own = by["clmle"][OVERHEAD]
    return {"own": own, "others": others, "rate": rate, "fraction": rate / limits[PRODUCT]}


COMPARISON = Comparison("step", run, values)
