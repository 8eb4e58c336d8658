"""Response of the playground to the slider of the imbalance ratio, moved by the arrow keys."""

import tempfile
import time
from collections.abc import Callable
from statistics import median
from typing import Any

from bench.app.server import browser_page, server
from bench.comparison import Comparison, Rows

REPEATS = 8
# A text that changes with the drawn points.
DRAWN = """() => { const p = document.querySelector(".st-key-figure-points .js-plotly-plot");
 return p && p._fullData ? p._fullData.map(t => t._length).join() : ""; }"""
# Identifies the training runs that the frame has drawn; the frame has drawn others.
SHOWN = "() => document.body.dataset.of || ''"
READY = """before => document.body.dataset.ready === "yes" && document.body.dataset.of !== before"""


def run(quick: bool = False) -> Rows:
    """Median and slowest milliseconds."""
    from playwright.sync_api import sync_playwright

    with (
        tempfile.TemporaryDirectory() as folder,
        sync_playwright() as p,
        server(folder) as (port, _),
        browser_page(p) as page,
    ):
        page.set_default_timeout(40_000)
        page.goto(f"http://127.0.0.1:{port}/imbalance?method=softmax&method=clmle&ratio=1")
        page.wait_for_function(f"({DRAWN})() !== ''")
        repeats = 2 if quick else REPEATS
        points = _moves(page, repeats, DRAWN, f"before => ({DRAWN})() !== before", lambda: page)
        page.get_by_role("button", name="Train").click()

        def frame() -> Any:
            return page.locator("iframe").first.element_handle().content_frame()

        frame().wait_for_function(READY, arg="")
        cached = _moves(page, repeats + 1, SHOWN, READY, frame)[1:]  # the first move trains
    return [
        {"slider moved": what, "median ms": f"{1000 * median(t):.0f}", "slowest ms":
         f"{1000 * max(t):.0f}"}
        for what, t in (("other training points", points), ("cached training runs", cached))
    ]  # fmt: skip


def _moves(
    page: Any, repeats: int, state: str, changed: str, frame: Callable[[], Any]
) -> list[float]:
    """Seconds from each move of the slider until ``changed`` holds for the earlier ``state``."""
    slider = page.get_by_role("slider", name="Ratio")
    times = []
    for i in range(repeats):
        before = frame().evaluate(state)
        slider.focus()
        began = time.perf_counter()
        page.keyboard.press("ArrowRight" if i % 2 == 0 else "ArrowLeft")
        frame().wait_for_function(changed, arg=before)
        times.append(time.perf_counter() - began)
        page.wait_for_timeout(500)
    return times


COMPARISON = Comparison("controls", run)
