"""How soon the page What imbalance does answers a dial, in a Chromium: python -m bench.controls

The dial of the ratio is turned by the arrow keys; measured is the time from the key to the browser
having drawn other training points, and with training on, to all frames of the courses being there
once they were trained before.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from statistics import median

from bench.report import print_rows
from bench.scatter import CHROMIUM
from bench.sessions import start_server

TURNS = 8
# The points that are drawn, as a text that differs where they do.
DRAWN = """() => { const p = document.querySelector(".st-key-figure-points .js-plotly-plot");
 return p && p._fullData ? p._fullData.map(t => t._length).join() : ""; }"""


def run(quick: bool = False) -> list[dict]:
    """Median and slowest milliseconds of some turns."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as p:
        process, port, _ = start_server(folder)
        browser = p.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            page = browser.new_page(viewport={"width": 1440, "height": 1200})
            page.set_default_timeout(40_000)
            page.goto(f"http://127.0.0.1:{port}/imbalance?method=softmax&method=clmle&ratio=1")
            page.wait_for_function(f"({DRAWN})() !== ''")
            points = _points(page, 2 if quick else TURNS)
            page.get_by_role("button", name="Train").click()
            _ready(page)
            courses = _courses(page, 2 if quick else TURNS)
        finally:
            browser.close()
            process.terminate()
            process.wait(timeout=30)
    return [
        {"dial turned": what, "median ms": f"{1000 * median(t):.0f}", "slowest ms":
         f"{1000 * max(t):.0f}"}
        for what, t in (("other training points", points), ("courses trained before", courses))
    ]  # fmt: skip


def _points(page, turns: int) -> list[float]:
    slider = page.get_by_role("slider", name="Ratio")
    times = []
    for i in range(turns):
        before = page.evaluate(DRAWN)
        slider.focus()
        began = time.perf_counter()
        page.keyboard.press("ArrowRight" if i % 2 == 0 else "ArrowLeft")
        page.wait_for_function("before => (" + DRAWN + ")() !== before", arg=before)
        times.append(time.perf_counter() - began)
        page.wait_for_timeout(500)
    return times


def _courses(page, turns: int) -> list[float]:
    slider = page.get_by_role("slider", name="Ratio")
    times = []
    for i in range(turns + 1):
        before = _shown(page)
        slider.focus()
        began = time.perf_counter()
        page.keyboard.press("ArrowRight" if i % 2 == 0 else "ArrowLeft")
        _ready(page, before)
        if i:  # the first turn trains
            times.append(time.perf_counter() - began)
        page.wait_for_timeout(500)
    return times


def _shown(page) -> str:
    """What tells the courses that the frame has drawn from others."""
    return _frame(page).evaluate("() => document.body.dataset.of || ''")


def _ready(page, before: str = "") -> None:
    """Until the frame has drawn other courses; asked often, a locator asks twice a second."""
    _frame(page).wait_for_function(
        "before => document.body.dataset.ready === 'yes' && document.body.dataset.of !== before",
        arg=before,
    )


def _frame(page):
    return page.locator("iframe").first.element_handle().content_frame()


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__).parse_args()
    print_rows(f"Dials of the sphere (load before {os.getloadavg()[0]:.1f})", run())
