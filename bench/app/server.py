"""Servers of the app, and the browser that opens their pages."""

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

from clmle.figures.export import BROWSERS

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("start", *sorted(p.stem for p in (ROOT / "app" / "views").glob("[a-z]*.py")
                          if p.stem != "start"))  # fmt: skip
TIMEOUT = 120.0  # seconds until a server answers, or a page is complete


@contextmanager
def server(runs: str) -> Iterator[tuple[int, float]]:
    """A server of the app for the runs in a folder: its port, and the seconds until it answers."""
    with process(runs) as (port, up, _):
        yield port, up


@contextmanager
def process(runs: str, **variables: str) -> Iterator[tuple[int, float, int]]:
    """As :func:`server`, with environment variables; also the number of its process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    began = time.perf_counter()
    started = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", "app/main.py", "--server.port", str(port),
         "--server.headless", "true"],
        cwd=ROOT, env=os.environ | {"CLMLE_RUNS": runs} | variables,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        while time.perf_counter() - began < TIMEOUT:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1)
                break
            except OSError:
                time.sleep(0.05)
        yield port, time.perf_counter() - began, started.pid
    finally:
        started.terminate()
        started.wait(timeout=30)


@contextmanager
def browser_page(playwright: Any) -> Iterator[Any]:
    """A new page in a Chromium."""
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
    try:
        yield browser.new_page(viewport={"width": 1440, "height": 1200})
    finally:
        browser.close()
