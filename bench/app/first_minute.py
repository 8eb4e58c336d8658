"""The first minute by the clock: from the command to networks that learn, and the demonstration."""

import tempfile
import time
from statistics import median
from typing import Any

from bench.app.server import browser_page, server
from bench.comparison import Comparison, Rows

STARTS = 3
LIMIT = 300  # seconds until all events of a start have happened
FIRST_PAGE = "networks learn on the first page, after the command"
OPENED = "networks learn on the first page of a running server, after it is opened"
LEARNING = "/step [1-9]/.test(document.getElementById('where')?.textContent)"
# In every frame: the time at which its networks learn, which a busy page tells late.
CLOCK = f"""const watch = setInterval(() => {{
  if ({LEARNING}) {{ clearInterval(watch); window.learnsAt = Date.now(); }}
}}, 20)"""
LEARNED = "/step 200/.test(document.getElementById('where')?.textContent)"
# Event -> what is true in a frame of the page once it has happened, and the aim in seconds.
DEMONSTRATION = {
    "images and class counts, after the button": (
        "[...document.querySelectorAll('[data-testid=stImage] img')].filter("
        "image => image.complete && image.naturalWidth).length >= 3"
        " && document.body.innerText.includes('Training images of the classes 0 to 9')", 10,
    ),
    "first points of the learning curves, after the button": (
        "document.querySelectorAll('.st-key-figure-demo-balanced-accuracy .scatterlayer .point')"
        ".length > 0", 10,
    ),
    "result of all three methods, after the button": (
        "document.body.innerText.includes('Done. Next, look at the features')", 60,
    ),
}  # fmt: skip


def run(quick: bool = False) -> Rows:
    """Median and slowest seconds of each event over new servers, each with an empty folder."""
    from playwright.sync_api import sync_playwright

    found: dict[str, list[float]] = {}
    with sync_playwright() as p:
        for _ in range(1 if quick else STARTS):
            with tempfile.TemporaryDirectory() as runs, browser_page(p) as page:
                page.set_default_timeout(1000 * LIMIT)
                page.add_init_script(CLOCK)
                asked = time.time()
                with server(runs) as (port, _):
                    page.goto(f"http://127.0.0.1:{port}/", wait_until="commit")
                    seen = _until(page, {FIRST_PAGE: "window.learnsAt"}, asked) | _another_visitor(
                        page
                    )
                    seen |= {} if quick else _demonstration(page)
            for event, seconds in seen.items():
                found.setdefault(event, []).append(seconds)
    aims = {FIRST_PAGE: 2, OPENED: 2, **{event: aim for event, (_, aim) in DEMONSTRATION.items()}}
    return [
        {"event": event, "aim s": aims[event], "median s": f"{median(seconds):.1f}",
         "slowest s": f"{max(seconds):.1f}"}
        for event, seconds in found.items()
    ]  # fmt: skip


def _another_visitor(page: Any) -> dict[str, float]:
    """The first page in a browser without cached files, when the first visitor's has learned."""
    _until(page, {"learned": LEARNED}, time.time())
    with page.context.browser.new_context() as context:
        other = context.new_page()
        other.add_init_script(CLOCK)
        began = time.time()
        other.goto(page.url, wait_until="commit")
        return _until(other, {OPENED: "window.learnsAt"}, began)


def _demonstration(page: Any) -> dict[str, float]:
    page.get_by_role("button", name="Run the demonstration").click()
    conditions = {event: condition for event, (condition, _) in DEMONSTRATION.items()}
    return _until(page, conditions, time.time())


def _until(page: Any, conditions: dict[str, str], began: float) -> dict[str, float]:
    """Seconds from ``began`` until each condition holds."""
    found: dict[str, float] = {}
    while len(found) < len(conditions):
        for event, condition in conditions.items():
            seen = [] if event in found else [_value(frame, condition) for frame in page.frames]
            if any(seen):  # true, or when it was seen
                found[event] = max(seen) / 1000 - began if max(seen) > 1 else time.time() - began
        if time.time() - began > LIMIT:
            raise TimeoutError(f"Not seen within {LIMIT} s: {set(conditions) - set(found)}.")
        page.wait_for_timeout(50)
    return found


def _value(frame: Any, condition: str) -> float:
    from playwright.sync_api import Error

    try:
        return float(frame.evaluate(condition) or 0)
    except Error:  # the frame is being replaced
        return 0.0


COMPARISON = Comparison("first-minute", run)
