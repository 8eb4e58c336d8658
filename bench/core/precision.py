"""bfloat16 against float32: time, error, memory, and the fraction of the roofline."""

import copy
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from bench.comparison import Comparison, Rows, Tables, number
from bench.machine import (
    LOW_PRODUCT,
    PRODUCT,
    least_seconds,
    limits,
    median_seconds,
    operations,
    pick,
)
from clmle.models.network import Network
from clmle.training.extraction import autocast

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
            taken = median_seconds(step, 2 if quick else 5)
            peak = torch.cuda.max_memory_allocated() / 2**20 if device.type == "cuda" else 0.0
            found = operations(step)
            if wanted is None:
                wanted = features[0]
            error = float((features[0] - wanted).norm() / wanted.norm())
            least = least_seconds(found, rates, precision == "bfloat16")
            rows.append(
                {
                    "network": backbone, "image": f"{side} x {side}", "precision": precision,
                    "ms a step": f"{1000 * taken:.1f}", "images/s": f"{BATCH / taken:.0f}",
                    "GFLOP/s": f"{sum(flops for flops, _ in found) / 1e9 / taken:.0f}",
                    "fraction of the roofline": f"{least / taken:.2f}",
                    "relative error of features": f"{error:.1e}" if error else "",
                    "peak memory, MB": f"{peak:.0f}" if peak else "",
                }
            )  # fmt: skip
    return rows


def forward_and_back(
    network: Network,
    images: torch.Tensor,
    labels: torch.Tensor,
    precision: str,
    features: list[torch.Tensor],
) -> None:
    """Forward and backward; stores the features of the images in ``features``."""
    network.zero_grad(set_to_none=True)
    with autocast(images.device, precision):
        z, y = network(images)
    features[:] = [z.detach().float()]
    F.cross_entropy(y.float(), labels).backward()


def values(tables: Tables, limits: Mapping[str, float]) -> dict[str, Any]:
    rows = tables[""]
    relative = []
    for a, b in zip(rows[::2], rows[1::2], strict=True):
        times = number(a["ms a step"]) / number(b["ms a step"])
        relative.append(
            f"{a['network']} {times:.2f} times (error {b['relative error of features']})"
        )
    fractions = [number(r["fraction of the roofline"]) for r in rows[::2]]
    return {
        "relative": ", ".join(relative), "rates": limits[LOW_PRODUCT] / limits[PRODUCT],
        "least": min(fractions), "most": max(fractions),
    }  # fmt: skip


COMPARISON = Comparison("precision", run, values)
