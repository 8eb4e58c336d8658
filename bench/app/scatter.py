"""The page Embeddings with many points, in a Chromium."""

import tempfile
import time
from typing import Any

import numpy as np

from bench.app.server import browser_page, server
from bench.app.stored_runs import stored_features
from bench.comparison import Comparison, Rows
from clmle.presets import preset_config
from clmle.run_folder import create_run

SIZES = (2_400, 20_000, 100_000)
# Moves the slider; returns the milliseconds until plotly has the points at their new positions and
# the frames that the browser drew during the animation of 650 ms.
MOVE = """() => new Promise(done => { const began = performance.now(); let frames = 0;
 const pen = CanvasRenderingContext2D.prototype, clear = pen.clearRect;
 pen.clearRect = function(...a) { frames += 1; return clear.apply(this, a); };
 const slider = document.getElementById("round"); slider.value = 0; slider.oninput();
 const wait = setInterval(() => {
  if (document.getElementById("moving").style.display === "none") { clearInterval(wait);
   done([performance.now() - began, frames]); } }, 10); })"""


def run(quick: bool = False) -> Rows:
    """Seconds until the points are visible, and of hovering and moving."""
    from playwright.sync_api import sync_playwright

    rows = []
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as p:
        names = {}
        for n in SIZES[: 1 if quick else None]:
            config = preset_config("quick", "softmax", "toonfaces", "Eyeglasses")
            made = create_run(folder, config.to_dict())
            stored_features(made, np.random.default_rng(0), n)
            names[n] = made.name
        with server(folder) as (port, _):
            for n, name in names.items():
                for opened in ("first", "again"):
                    with browser_page(p) as page:
                        rows.append(
                            {"points": f"{n:,}", "opened": opened} | _open(page, port, name)
                        )
    return rows


def _open(page: Any, port: int, name: str) -> dict[str, Any]:
    page.set_default_timeout(180_000)
    sent = []
    page.on("websocket", lambda line: line.on("framereceived", lambda raw: sent.append(len(raw))))
    began = time.perf_counter()
    page.goto(f"http://127.0.0.1:{port}/embeddings?run={name}&by=umap")
    frame = page.frame_locator("iframe").first
    frame.locator("#plot .gl-canvas").first.wait_for()
    frame.locator("body").evaluate("() => new Promise(requestAnimationFrame)")
    shown = time.perf_counter() - began
    body = frame.locator("body")
    moved, frames = body.evaluate(MOVE)
    box = frame.locator("#plot").bounding_box()
    began = time.perf_counter()
    for i in range(200):  # until the mouse meets a point
        page.mouse.move(box["x"] + box["width"] / 2 + 3 * i, box["y"] + box["height"] / 2)
        if frame.locator("#face").is_visible():
            break
    face = time.perf_counter() - began
    return {
        "points shown s": f"{shown:.2f}", "sent MB": f"{sum(sent) / 1e6:.1f}",
        "image on hover s": f"{face:.2f}", "round changed ms": f"{moved:.0f}",
        "frames drawn": frames,
    }  # fmt: skip


COMPARISON = Comparison("scatter", run)
