"""A server of the app and a Chromium to open it with."""

import dataclasses
import functools
import os
import shutil
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import streamlit.config
from PIL import Image
from streamlit.components.v2 import manifest_scanner

from clmle.presets import preset_config
from clmle.projection import project_run
from clmle.run_folder import create_run
from clmle.training import train

# As in app/.streamlit/config.toml, which pages without a server do not read.
streamlit.config.set_option("server.address", "127.0.0.1")
# A page without a server would read the metadata of all installed packages, 0.3 s each time.
manifest_scanner.scan_component_manifests = functools.cache(
    manifest_scanner.scan_component_manifests
)

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
PATIENCE = 600_000  # milliseconds; a second on an idle machine
QUIET = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


@contextmanager
def served(home):
    """Address of a new server of the app with its folders in ``home``."""
    if CHROMIUM is None and not os.environ.get("CI"):
        pytest.skip("no Chromium here: install it to test the app in a browser")
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
def new_server(tmp_path):
    """A server that has served no page."""
    with served(tmp_path) as address:
        yield address


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server for the tests of a file."""
    with served(tmp_path_factory.mktemp("home")) as address:
        yield address


@pytest.fixture(scope="session")
def several(tmp_path_factory):
    """One tiny run of two attributes at once, projected by PCA."""
    folder = tmp_path_factory.mktemp("images")
    rng = np.random.default_rng(0)
    lines = ["file,split,left,right"]
    for i in range(60):
        Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)).save(folder / f"{i}.png")
        lines.append(f"{i}.png,{('train', 'val', 'test')[i % 3]},{i // 3 % 2},{i // 6 % 2}")
    (folder / "labels.csv").write_text("\n".join(lines))
    config = preset_config("quick", "clmle", str(folder))
    data = {"attribute": "all", "labels": str(folder / "labels.csv"), "image_size": 8}
    small = {"iterations": 6, "pretrain_iterations": 2, "rounds": 1, "batch_size": 20}
    config = dataclasses.replace(
        config,
        data=dataclasses.replace(config.data, **data),
        train=dataclasses.replace(config.train, **small),
    )
    root = tmp_path_factory.mktemp("runs")
    run = create_run(root, config.to_dict())
    train(run)
    project_run(run, "pca")
    return root


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """The folder of one tiny run of digits, projected by PCA."""
    root = tmp_path_factory.mktemp("runs")
    config = preset_config("quick", "clmle", "digits")
    small = {"iterations": 8, "pretrain_iterations": 4, "rounds": 1}
    config = dataclasses.replace(config, train=dataclasses.replace(config.train, **small))
    run = create_run(root, config.to_dict())
    train(run)
    project_run(run, "pca")
    return root


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
