"""Duration from the command to the first page in a Chromium, against a plain Streamlit app.

Each repetition starts a server and opens its first page: until the server answers, and until the
heading of the page is visible. In a browser without a cache, as on the first visit; and in one that
has opened the page before and has the scripts of Streamlit, some megabytes, compiled.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from bench.app.server import APP, BROWSER, free_port, server
from bench.comparison import Comparison, Rows

REPEATS = 5
VISIBLE = "() => { const h = document.querySelector('h1'); return h && h.checkVisibility(); }"
WARM_UP = 3  # visits after which a browser stores compiled scripts


def run(quick: bool = False) -> Rows:
    """Medians over repetitions that alternate between the apps."""
    from playwright.sync_api import sync_playwright

    repeats = 1 if quick else REPEATS
    found: dict[str, list[tuple[float, float]]] = {}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as p:
        plain = Path(folder) / "plain.py"
        plain.write_text('import streamlit\nstreamlit.title("Plain")\n')
        scripts = {"clmle": APP, "plain Streamlit app": plain}
        browser = p.chromium.launch(**BROWSER)
        for _ in range(repeats):
            for name, script in scripts.items():
                context = browser.new_context()
                found.setdefault(f"{name}, first visit", []).append(
                    _open(context, folder, script, free_port())
                )
                context.close()
        browser.close()
        known = {
            name: (p.chromium.launch_persistent_context(f"{folder}/{i}", **BROWSER), free_port())
            for i, name in enumerate(scripts)
        }
        for repeat in range(WARM_UP + repeats):
            for name, script in scripts.items():
                times = _open(known[name][0], folder, script, known[name][1])
                if repeat >= WARM_UP:
                    found.setdefault(f"{name}, later visit", []).append(times)
        for context, _ in known.values():
            context.close()
    return [
        {"app": name, "server answers s": f"{median(a for a, _ in times):.2f}",
         "first page visible s": f"{median(b for _, b in times):.2f}",
         "slowest s": f"{max(b for _, b in times):.2f}"}
        for name, times in found.items()
    ]  # fmt: skip


def _open(context: Any, folder: str, script: Path, port: int) -> tuple[float, float]:
    began = time.perf_counter()
    with server(folder, script, port) as (_, answers):
        page = context.new_page()
        page.goto(f"http://127.0.0.1:{port}/", wait_until="commit")
        page.wait_for_function(VISIBLE)  # checks every frame; a locator checks twice a second
        visible = time.perf_counter() - began
        page.close()
    return answers, visible


COMPARISON = Comparison(
    "start",
    "From the command to the first page",
    run,
    "A server is started and its first page opened in a Chromium: in one without a cache, and in "
    "one that has opened the page before. Medians of five repetitions. The plain app shows a title "
    "only.",
    lambda tables, limits: (
        "The start of Python and Streamlit and the scripts of Streamlit in the browser bound it; "
        "the plain app is the lower limit."
    ),
)
