"""The page Embeddings with great numbers of points, in a Chromium: python -m bench.scatter

A run is made up whose features of 2,400, 20,000 and 100,000 images are stored and projected. Its
page is opened; then a point is hovered, and the slider moved, as a person would.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import time

import numpy as np

from bench.pages import stored_features
from bench.report import print_rows
from bench.sessions import start_server
from clmle.presets import preset_config
from clmle.run_folder import create_run

SIZES = (2_400, 20_000, 100_000)
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
# The slider is moved: milliseconds until plotly has the points in their new places, and how many
# pictures of points on their way the browser drew in the 650 ms that they take.
STEP = """() => new Promise(done => { const began = performance.now(); let frames = 0;
 const pen = CanvasRenderingContext2D.prototype, clear = pen.clearRect;
 pen.clearRect = function(...a) { frames += 1; return clear.apply(this, a); };
 const slider = document.getElementById("round"); slider.value = 0; slider.oninput();
 const wait = setInterval(() => {
  if (document.getElementById("moving").style.display === "none") { clearInterval(wait);
   done([performance.now() - began, frames]); } }, 10); })"""


def run(quick: bool = False) -> list[dict]:
    """Seconds until points are there, then what hovering and moving take."""
    from playwright.sync_api import sync_playwright

    rows = []
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as p:
        names = {}
        for n in SIZES[: 1 if quick else None]:
            config = preset_config("quick", "softmax", "toonfaces", "Eyeglasses")
            made = create_run(folder, config.to_dict())
            stored_features(made, np.random.default_rng(0), n)
            names[n] = made.name
        process, port, _ = start_server(folder)
        browser = p.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            for n, name in names.items():
                for turn in ("first", "again"):
                    rows.append({"points": f"{n:,}", "opened": turn} | _open(browser, port, name))
        finally:
            browser.close()
            process.terminate()
            process.wait(timeout=30)
    return rows


def _open(browser, port: int, name: str) -> dict:
    page = browser.new_page(viewport={"width": 1440, "height": 1200})
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
    moved, frames = body.evaluate(STEP)
    box = frame.locator("#plot").bounding_box()
    began = time.perf_counter()
    for i in range(200):  # from place to place until a point is met
        page.mouse.move(box["x"] + box["width"] / 2 + 3 * i, box["y"] + box["height"] / 2)
        if frame.locator("#face").is_visible():
            break
    face = time.perf_counter() - began
    page.close()
    return {
        "shown s": f"{shown:.2f}", "sent MB": f"{sum(sent) / 1e6:.1f}", "face s": f"{face:.2f}",
        "round moved ms": f"{moved:.0f}", "pictures on the way": frames,
    }  # fmt: skip


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__).parse_args()
    title = f"The page Embeddings (load before {os.getloadavg()[0]:.1f})"
    print_rows(title, run())
