"""bfloat16 against float32: time, error, memory, and how near the machine's roofline."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F

from bench.comparison import Comparison, Rows, Tables, number
from bench.limits import limits, pick, seconds
from bench.roofline import counted, gflop, least_seconds
from clmle.training.network import Network, autocast

BATCH = 240
NETWORKS = (("tiny", 40), ("small", 40), ("residual", 40), ("resnet18", 40))


def run(quick: bool = False) -> Rows:
    """A forward and backward of every backbone in both precisions, in turn."""
    device, rates, rows = pick(), limits(), []
    for backbone, side in NETWORKS[: 2 if quick else None]:
        torch.manual_seed(0)
        first = Network(backbone, 3, (side, side), 64, 2).to(device)
        first.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        images = torch.randn(BATCH, 3, side, side, device=device)
        images = images.to(memory_format=torch.channels_last)
        labels = torch.from_numpy(np.arange(BATCH) % 2).to(device)
        wanted: torch.Tensor | None = None
        for precision in ("float32", "bfloat16"):
            network = copy.deepcopy(first)
            features: list[torch.Tensor] = []

            step = partial(forward_and_back, network, images, labels, precision, features)
            if device.type == "cuda":
                torch.cuda.reset_peak_memory_stats()
            taken = seconds(step, device, 2 if quick else 5)
            peak = torch.cuda.max_memory_allocated() / 2**20 if device.type == "cuda" else 0.0
            operations = counted(step)
            if wanted is None:
                wanted = features[0]
            error = float((features[0] - wanted).norm() / wanted.norm())
            least = least_seconds(operations, rates, precision == "bfloat16")
            rows.append(
                {
                    "network": backbone,
                    "image": f"{side} x {side}",
                    "precision": precision,
                    "ms a step": f"{1000 * taken:.1f}",
                    "images a second": f"{BATCH / taken:.0f}",
                    "GFLOP/s": f"{gflop(operations) / taken:.0f}",
                    "share of the roofline": f"{least / taken:.2f}",
                    "error of features": f"{error:.1e}" if error else "",
                    "peak memory, MB": f"{peak:.0f}" if peak else "",
                }
            )
    return rows


def forward_and_back(
    network: Network,
    images: torch.Tensor,
    labels: torch.Tensor,
    precision: str,
    features: list[torch.Tensor],
) -> None:
    """``features`` then holds those of the images."""
    network.zero_grad(set_to_none=True)
    with autocast(images.device, precision):
        z, y = network(images)
    features[:] = [z.detach().float()]
    F.cross_entropy(y.float(), labels).backward()


def says(tables: Tables, rates: Mapping[str, float]) -> str:
    rows = tables[""]
    pairs = [
        (a["network"], number(a["ms a step"]) / number(b["ms a step"]), b["error of features"])
        for a, b in zip(rows[::2], rows[1::2], strict=True)
    ]
    words = ", ".join(f"{name} {times:.2f} times (error {error})" for name, times, error in pairs)
    shares = [number(r["share of the roofline"]) for r in rows[::2]]
    return (
        f"float32 takes, as against bfloat16: {words}; the error is that of the features of the "
        "last step, by length. Products in bfloat16 alone run at "
        f"{rates['bfloat16 product, GFLOP/s'] / rates['product, GFLOP/s']:.1f} times the rate of "
        "float32. The roofline is the time that every operation, one after the other, must take "
        f"for its arithmetic or its bytes; in float32 the steps reach {min(shares):.2f} to "
        f"{max(shares):.2f} of it, which cannot be counted on where data stay in a cache. What "
        "bounds the small networks is memory, read and written anew by every operation between "
        "two convolutions."
    )


COMPARISON = Comparison(
    "precision",
    "Precision and the machine's roofline",
    run,
    f"Forward and backward of {BATCH} images, medians of five.",
    says,
    gpu="bfloat16 against float32, peak memory of the GPU, share of its roofline",
)
