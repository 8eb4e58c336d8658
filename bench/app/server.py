"""Servers of the app, and the browser that opens their pages."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
APP = ROOT / "app" / "main.py"
PAGES = ("start", *sorted(p.stem for p in (ROOT / "app" / "views").glob("[a-z]*.py")
                          if p.stem != "start"))  # fmt: skip
TIMEOUT = 120.0  # seconds until a server answers, or a page is complete
BROWSER: dict[str, Any] = {
    "executable_path": next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
    ),
    "args": ["--no-sandbox"],
}


def free_port() -> int:
    """A port that no process listens on."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port: int = s.getsockname()[1]
    return port


@contextmanager
def server(runs: str, app: Path = APP, port: int | None = None) -> Iterator[tuple[int, float]]:
    """A server of ``app`` for the runs in a folder: its port, and the seconds until it answers."""
    port = port or free_port()
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", str(app), "--server.port", str(port),
         "--server.headless", "true"],
        cwd=ROOT, env=os.environ | {"CLMLE_RUNS": runs},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        while time.perf_counter() - began < TIMEOUT:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1)
                break
            except OSError:
                time.sleep(0.05)
        yield port, time.perf_counter() - began
    finally:
        process.terminate()
        process.wait(timeout=30)


@contextmanager
def browser_page(playwright: Any) -> Iterator[Any]:
    """A new page in a Chromium."""
    browser = playwright.chromium.launch(**BROWSER)
    try:
        yield browser.new_page(viewport={"width": 1440, "height": 1200})
    finally:
        browser.close()
