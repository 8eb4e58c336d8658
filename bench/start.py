"""From the command to the first page in a Chromium, beside a bare Streamlit app: bench.start

Each turn starts a server of its own and opens its first page: until the server answers, and until
the heading of the page is seen. In a browser without a cache, as on the very first visit; and in
one that has opened the page before, as on every later start: Streamlit's own scripts, some
megabytes, are then there and compiled. The bare app is one line, a title: what Streamlit itself
takes on this machine.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from bench.scatter import CHROMIUM
from bench.sessions import APP, free_port, start_server

TURNS = 5
SEEN = "() => { const h = document.querySelector('h1'); return h && h.checkVisibility(); }"
BEFORE = 3  # visits after which a browser keeps what it has compiled


def run(quick: bool = False) -> list[dict[str, Any]]:
    """Medians over turns that alternate between the apps."""
    from playwright.sync_api import sync_playwright

    turns = 1 if quick else TURNS
    found: dict[str, list[tuple[float, float]]] = {}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as p:
        bare = Path(folder) / "bare.py"
        bare.write_text('import streamlit\nstreamlit.title("Bare")\n')
        scripts = {"clmle": APP, "a bare Streamlit app": bare}
        how: dict[str, Any] = {"executable_path": CHROMIUM, "args": ["--no-sandbox"]}
        browser = p.chromium.launch(**how)
        for _ in range(turns):
            for name, script in scripts.items():
                context = browser.new_context()
                found.setdefault(f"{name}, first visit", []).append(
                    _open(context, folder, script, free_port())
                )
                context.close()
        browser.close()
        known = {
            name: (p.chromium.launch_persistent_context(f"{folder}/{i}", **how), free_port())
            for i, name in enumerate(scripts)
        }
        for turn in range(BEFORE + turns):
            for name, script in scripts.items():
                times = _open(known[name][0], folder, script, known[name][1])
                if turn >= BEFORE:
                    found.setdefault(f"{name}, opened before", []).append(times)
        for context, _ in known.values():
            context.close()
    return [
        {"app": name, "server answers s": f"{median(a for a, _ in times):.2f}",
         "first page seen s": f"{median(b for _, b in times):.2f}",
         "slowest s": f"{max(b for _, b in times):.2f}"}
        for name, times in found.items()
    ]  # fmt: skip


def _open(context: Any, folder: str, script: Path, port: int) -> tuple[float, float]:
    began = time.perf_counter()
    process, _, answers = start_server(folder, script, port)
    try:
        page = context.new_page()
        page.goto(f"http://127.0.0.1:{port}/", wait_until="commit")
        page.wait_for_function(SEEN)  # at every frame; a locator looks twice a second only
        seen = time.perf_counter() - began
        page.close()
        return answers, seen
    finally:
        process.terminate()
        process.wait(timeout=30)
