"""Features of an image by backbone, one image at a time and in batches."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import torch

from bench.comparison import Comparison, Rows, Tables, number
from bench.machine import PRODUCT, gflop, median_seconds, pick
from clmle.models import build_backbone
from clmle.training.extraction import extraction_batch

SIZES = {
    "tiny": (40, 40), "small": (40, 40), "residual": (40, 40), "resnet18": (40, 40),
    "deepid2": (55, 47), "sphere64": (112, 96),
}  # fmt: skip
PAPER = 10.0  # ms an image on a GPU, section 5 of the paper


def run(quick: bool = False) -> Rows:
    """Milliseconds an image, medians."""
    device, rows = pick(), []
    many = extraction_batch(device)
    for backbone, (height, width) in list(SIZES.items())[: 2 if quick else None]:
        torch.manual_seed(0)
        network = build_backbone(backbone, 3, (height, width), 64).to(device).eval()
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        each, work = {}, 0.0
        for count in (1, many):
            images = torch.randn(count, 3, height, width, device=device)
            images = images.to(memory_format=torch.channels_last)
            forward = torch.inference_mode()(partial(network, images))
            heavy = backbone == "sphere64" and count > 1 and device.type == "cpu"
            taken = median_seconds(forward, 3 if heavy else 15 if count > 1 else 50)
            each[count] = 1000 * taken / count
            with torch.no_grad():
                work = gflop(partial(network, images))
        rows.append(
            {
                "backbone": backbone,
                "image": f"{height} x {width}",
                "MFLOP an image": f"{1000 * work / many:.0f}",
                "ms, one at a time": f"{each[1]:.2f}",
                f"ms, {many} at a time": f"{each[many]:.3f}",
                "GFLOP/s in batches": f"{work / many / each[many] * 1000:.0f}",
            }
        )
    return rows


def values(tables: Tables, limits: Mapping[str, float]) -> dict[str, Any]:
    rows = tables[""]
    quicker = [r["backbone"] for r in rows if number(r["ms, one at a time"]) < PAPER]
    rates = [number(r["GFLOP/s in batches"]) / limits[PRODUCT] for r in rows]
    return {"quicker": ", ".join(quicker) or "none", "least": min(rates), "most": max(rates)}


COMPARISON = Comparison("extraction", run, values)
