"""From the command to the first page in a Chromium, beside a bare Streamlit app: bench.start

Each turn starts a server of its own and opens its first page in a browser without a cache, as on
a first visit: until the server answers, and until the heading of the page is seen. The bare app is
one line, a title: what Streamlit itself takes on this machine.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from bench.scatter import CHROMIUM
from bench.sessions import APP, start_server

TURNS = 5


def run(quick: bool = False) -> list[dict[str, Any]]:
    """Medians over turns that alternate between the two."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as p:
        bare = Path(folder) / "bare.py"
        bare.write_text('import streamlit\nstreamlit.title("Bare")\n')
        browser = p.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        times: dict[str, list[tuple[float, float]]] = {"clmle": [], "a bare Streamlit app": []}
        for _ in range(1 if quick else TURNS):
            for name, script in zip(times, (APP, bare), strict=True):
                times[name].append(_open(browser, folder, script))
        browser.close()
    return [
        {"app": name, "server answers s": f"{median(a for a, _ in found):.2f}",
         "first page seen s": f"{median(b for _, b in found):.2f}",
         "slowest s": f"{max(b for _, b in found):.2f}"}
        for name, found in times.items()
    ]  # fmt: skip


def _open(browser: Any, folder: str, script: Path) -> tuple[float, float]:
    began = time.perf_counter()
    process, port, answers = start_server(folder, script)
    try:
        context = browser.new_context()
        page = context.new_page()
        page.goto(f"http://127.0.0.1:{port}/", wait_until="commit")
        page.get_by_role("heading", level=1).wait_for()
        seen = time.perf_counter() - began
        context.close()
        return answers, seen
    finally:
        process.terminate()
        process.wait(timeout=30)
