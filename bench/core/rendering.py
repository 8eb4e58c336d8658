"""Milliseconds to render a toonface on one core, by step."""

import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from bench.comparison import Comparison, Tables, number
from clmle.data.toonfaces import build
from clmle.data.toonfaces import render as drawing
from clmle.data.toonfaces.specs import draw_image
from clmle.data.toonfaces.styles import style_named

PARTS = ("sample", "compose", "rasterize", "pose", "light")
WARM_UP = 30  # faces


def run(quick: bool = False) -> list[dict]:
    """Means over faces of all styles, with the definitions loaded."""
    plan = build.Plan.of("quick", 40, 0)
    cast = plan.face_specs()
    rows = np.random.default_rng(0).permutation(plan.total)[: 60 if quick else 400]
    laps = []
    for row in (*rows[:WARM_UP], *rows):
        spec = cast[row][2]
        style = style_named(spec["style"])
        times = [time.perf_counter()]
        image, _ = draw_image(spec, style, np.random.default_rng([plan.seed, 2, int(row)]))
        times.append(time.perf_counter())
        svg = drawing._svg(style, spec, image)
        times.append(time.perf_counter())
        picture = drawing._rasterize(svg, style, plan.image_size)
        times.append(time.perf_counter())
        posed = drawing._pose(picture, image, plan.image_size)
        times.append(time.perf_counter())
        drawing._light(posed, image, plan.image_size)
        times.append(time.perf_counter())
        laps.append(np.diff(times))
    means = 1000 * np.mean(laps[WARM_UP:], axis=0)
    parts = {f"{part} ms": round(float(ms), 2) for part, ms in zip(PARTS, means, strict=True)}
    return [{"faces": len(rows), **parts, "sum ms": round(float(means.sum()), 2)}]


def values(tables: Tables, limits: Mapping[str, float]) -> dict[str, Any]:
    row = tables[""][0]
    face = number(row["sum ms"])
    rasterization = number(row["rasterize ms"]) / face
    return {"face": face, "rasterization": rasterization, "quick": 9 * face, "standard": 39 * face}


COMPARISON = Comparison("rendering", run, values)
