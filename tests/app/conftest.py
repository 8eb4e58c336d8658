"""A server of the app and a Chromium to open it with."""

import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import streamlit.config

# As in app/.streamlit/config.toml, which pages without a server do not read.
streamlit.config.set_option("server.address", "127.0.0.1")

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
PATIENCE = 600_000  # milliseconds; a second on an idle machine
QUIET = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The app on a free port, with temporary folders."""
    if CHROMIUM is None and not os.environ.get("CI"):
        pytest.skip("no Chromium here: install it to test the app in a browser")
    home = tmp_path_factory.mktemp("home")
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    env = os.environ | {"CLMLE_RUNS": str(home / "runs"), "CLMLE_CACHE": str(home / "cache")}
    process = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", "app/main.py", "--server.port", str(port),
         "--server.headless", "true"],
        cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    deadline = time.time() + 600
    while time.time() < deadline:
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.2)
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait(timeout=600)


@pytest.fixture
def browser():
    """A Chromium that waits long for what a busy machine does late, in every page and context."""
    assert CHROMIUM, "CI must have a Chromium"
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as p:
        chromium = p.chromium.launch(executable_path=CHROMIUM, args=QUIET, timeout=PATIENCE)
        chromium.on("context", lambda context: context.set_default_timeout(PATIENCE))
        yield chromium
        chromium.close()
