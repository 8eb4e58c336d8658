"""What CLMLE adds to a training step: sampling, loss and index against a softmax step."""

from __future__ import annotations

import argparse
import time
from statistics import median

import numpy as np
import torch

from bench.report import print_rows
from clmle.data import load_toonfaces
from clmle.methods import get_method
from clmle.methods.base import Outputs
from clmle.training.images import ImageSource
from clmle.training.network import Network


def run(quick: bool = False) -> list[dict]:
    """Medians of the parts of a step, steps of both methods taken in turn."""
    task = load_toonfaces("quick").task("Eyeglasses")
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(0)
    network = Network("small", 3, 40, 64, 2).to(device)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.SGD(network.parameters(), 0.01, 0.9)
    source = ImageSource(task.images, device)
    labels = torch.from_numpy(task.labels).to(device)
    methods = {}
    for name in ("softmax", "clmle"):
        cls = get_method(name)
        methods[name] = cls(cls.Options(), task, 240, 0)
    rng = np.random.default_rng(0)
    features = rng.normal(size=(len(task.train), 64)).astype(np.float32)
    start = time.perf_counter()
    methods["clmle"].start_round(0, features)
    refresh = time.perf_counter() - start
    parts: dict[str, dict[str, list[float]]] = {
        name: {"draw": [], "images": [], "network": [], "loss": []} for name in methods
    }

    def clock() -> float:
        if device.type == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter()

    for step in range(8 if quick else 40):
        for name, method in methods.items():
            t0 = clock()
            batch = method.draw(step)
            t1 = clock()
            rows = task.train[batch.rows]
            images = source.batch(rows, np.random.default_rng(step))
            t2 = clock()
            z, logits = network(images)
            t3 = clock()
            loss = method.loss(Outputs(z, logits, labels[torch.from_numpy(rows)]), batch)
            optimizer.zero_grad()
            # The loss's own backward, up to z and logits, counts as the loss's.
            grads = torch.autograd.grad(
                loss.total, [z, logits], allow_unused=True, retain_graph=True
            )
            t4 = clock()
            pairs = [(o, g) for o, g in zip((z, logits), grads, strict=True) if g is not None]
            torch.autograd.backward([o for o, _ in pairs], [g for _, g in pairs])
            optimizer.step()
            t5 = clock()
            times = {"draw": t1 - t0, "images": t2 - t1, "loss": t4 - t3}
            times["network"] = t3 - t2 + t5 - t4
            for part, value in times.items():
                parts[name][part].append(value)
    rows_out = []
    whole = sum(median(v) for v in parts["softmax"].values())
    for name, values in parts.items():
        ms = {part: 1000 * median(v) for part, v in values.items()}
        own = ms["draw"] + ms["loss"]
        rows_out.append(
            {
                "method": name,
                **{f"{part} ms": round(v, 2) for part, v in ms.items()},
                "draw + loss, % of a softmax step": round(100 * own / (1000 * whole), 1),
                "refresh ms": round(1000 * refresh) if name == "clmle" else "",
            }
        )
    return rows_out


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    print_rows("A training step of 240 images of 40 x 40", run(parser.parse_args().quick))
