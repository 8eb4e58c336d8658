"""Forty attributes at CelebA's size: a round, a step and the memory of the whole process.

CelebA's own photographs are not needed: 162,770 images of 55 x 47 are shifted copies of
illustrated faces, and each of 40 attributes is shown by the share that the paper prints for its
namesake, those of the largest values of a random function of the pixels.
"""

from __future__ import annotations

import argparse
import functools
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch

from bench.report import print_rows
from clmle.data import Dataset, load_toonfaces
from clmle.data.multilabel import multi_task
from clmle.methods import Outputs, get_method
from clmle.methods.base import Batch
from clmle.methods.multi_label import MultiLabel
from clmle.paper import table
from clmle.training.images import ImageSource
from clmle.training.network import MultiNetwork, extract

SHAPE = (55, 47, 3)
SIZES = {"train": 152_770, "validation": 10_000, "test": 19_962}


def run(quick: bool = False) -> list[dict]:
    """Each network in a process of its own, so that its peak of memory is its own too."""
    context = multiprocessing.get_context("spawn")
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for backbone in ("deepid2", "residual"):
            with context.Pool(1) as pool:
                rows.append(pool.apply(one, (backbone, Path(folder), 0.05 if quick else 1.0)))
    return rows


def one(backbone: str, folder: Path, share: float) -> dict:
    """A first round, three timed kinds of steps, a refresh."""
    data = dataset(folder, share)
    task = multi_task(data)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(0)
    network = MultiNetwork(backbone, 3, SHAPE[:2], 64, len(task.attributes)).to(device)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.SGD(network.parameters(), 0.01, 0.9)
    source = ImageSource(task.images, device)
    kind = get_method("clmle")
    method = MultiLabel(kind, kind.Options(), task, 240, 0)
    seconds: dict[str, float] = {}

    def timed(name: str, work: Callable[[], Any]) -> Any:
        if device.type == "cuda":
            torch.cuda.synchronize()
        start = time.perf_counter()
        found = work()
        if device.type == "cuda":
            torch.cuda.synchronize()
        seconds[name] = time.perf_counter() - start
        return found

    def update(images: torch.Tensor, loss: Callable[..., torch.Tensor]) -> float:
        """Seconds of forward, loss, backward and update."""

        def work() -> None:
            optimizer.zero_grad(set_to_none=True)
            loss(*network(images)).backward()
            optimizer.step()

        timed("step", work)
        return seconds["step"]

    features, _ = timed("features", lambda: extract(network, source, task.train))
    timed("first clusters", lambda: method.start_round(0, features))
    bare: list[float] = []
    whole: list[float] = []
    for step in range(12):
        batch = method.draw(step)
        images = source.batch(task.train[batch.rows])
        labels = torch.from_numpy(task.labels[task.train[batch.rows]]).to(device)
        bare.append(update(images, lambda z, y: z.square().mean() + y.square().mean()))
        loss = functools.partial(clmle_loss, method, labels, batch)
        whole.append(update(images, loss))
    features, _ = timed("features", lambda: extract(network, source, task.train))
    timed("refresh", lambda: method.start_round(1, features))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # kilobytes to GB
    return {
        "network": backbone,
        "images": f"{len(task.train):,}",
        "attributes": len(task.attributes),
        "features of all, s": f"{seconds['features']:.0f}",
        "first clusters, s": f"{seconds['first clusters']:.0f}",
        "refresh, s": f"{seconds['refresh']:.0f}",
        "bare step, ms": f"{1000 * median(bare):.0f}",
        "CLMLE's step, ms": f"{1000 * median(whole):.0f}",
        "times bare": f"{median(w / b for w, b in zip(whole, bare, strict=True)):.2f}",
        "images a second": f"{240 / median(whole):.0f}",
        "peak memory, GB": f"{peak:.1f}",
    }


def clmle_loss(
    method: MultiLabel, labels: torch.Tensor, batch: Batch, z: torch.Tensor, y: torch.Tensor
) -> torch.Tensor:
    return method.loss(Outputs(z, y, labels), batch).total


def dataset(folder: Path, share: float) -> Dataset:
    """The images in a memory-mapped file, as CelebA's would lie, and their attributes."""
    from PIL import Image

    sizes = [int(n * share) for n in SIZES.values()]
    faces = load_toonfaces("quick").images
    height, width = SHAPE[:2]
    drawn = np.stack([np.asarray(Image.fromarray(f).resize((width, height))) for f in faces])
    path = folder / "images.npy"
    n = sum(sizes)
    images = np.lib.format.open_memmap(path, "w+", np.uint8, (n, *SHAPE))
    rng = np.random.default_rng(0)
    small = np.empty((n, 12 * 12 * 3), dtype=np.float32)
    for start in range(0, n, len(drawn)):
        y, x = rng.integers(-4, 5, 2)
        part = np.roll(drawn[rng.permutation(len(drawn))], (y, x), axis=(1, 2))[: n - start]
        images[start : start + len(part)] = part
        small[start : start + len(part)] = part[:, 2:50:4, 0:48:4].reshape(len(part), -1)
    images.flush()
    del images
    level = table(5).set_index("attribute")["imbalance_level"].drop("Average (40 attributes)")
    level = level.fillna(level.median())  # of nine the printed number cannot be read
    values = small @ rng.normal(size=(small.shape[1], len(level))).astype(np.float32)
    attributes = {}
    for name, own, away in zip(level.index, values.T, level, strict=True):
        attributes[name] = (own > np.quantile(own, 0.5 + away / 100)).astype(np.int8)
    split = np.repeat([0, 1, 2], sizes).astype(np.int8)
    return Dataset("CelebA's size", np.load(path, mmap_mode="r"), split, attributes)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    print_rows("Forty attributes at CelebA's size", run(parser.parse_args().quick))
