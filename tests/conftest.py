"""Shared fixtures: small data sets and runs."""

import dataclasses
import os
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock
from hypothesis import Phase, settings

ROOT = Path(__file__).parent

# For make mutants: fixed examples, without a search for the smallest failing one.
settings.register_profile(
    "mutants", derandomize=True, deadline=None, phases=[Phase.explicit, Phase.generate]
)


SLOW = (  # files with tests of ten seconds and more, the slowest first
    "app/test_browser.py", "docs/test_docs.py", "app/test_playground_page.py",
    "app/test_two_sessions.py", "app/test_studies_browser.py", "bench/test_page.py",
    "training/test_distributed.py", "tools/test_report.py", "studies/test_runner.py",
    "training/test_training.py", "training/test_resume.py", "training/test_export.py",
    "playground/test_static_page.py", "playground/test_playground.py", "test_projection.py",
)  # fmt: skip


def pytest_collection_modifyitems(config, items):
    """Put slow files first in the part of each worker, so that none runs alone at the end."""
    n = getattr(config, "workerinput", {}).get("workercount", 1)
    slow = {ROOT / file: [] for file in SLOW}
    fast = []
    for item in items:
        slow.get(item.path, fast).append(item)
    files, parts = list(slow.values()), []
    for k in range(n):  # as large as the parts of --dist worksteal
        size = (len(items) - sum(map(len, parts))) // (n - k)
        first = [item for file in files[k::n] for item in file]
        rest = max(0, size - len(first))
        parts.append(first + fast[:rest])
        fast = fast[rest:]
    items[:] = [item for part in parts for item in part] + fast


@pytest.fixture(scope="session", autouse=True)
def _one_thread():
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session", autouse=True)
def _no_waiting_for_the_disk():
    """What fsync adds shows after a loss of power only; tests/robustness simulates one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda file: None)
        yield


@pytest.fixture(autouse=True)
def _own_folders(tmp_path, monkeypatch):
    """Each test has its own folders of runs and rendered faces."""
    monkeypatch.setenv("CLMLE_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("CLMLE_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def image_folder(tmp_path):
    """Two classes of small images of several kinds, one broken file, one text file."""
    from PIL import Image

    rng = np.random.default_rng(0)
    root = tmp_path / "photos"
    for name, level, count in (("cats", 60, 30), ("dogs", 200, 12)):
        (root / name).mkdir(parents=True)
        for i in range(count):
            height, width = rng.integers(20, 60, 2)
            pixels = rng.normal(level, 20, (height, width, 3)).clip(0, 255).astype(np.uint8)
            mode = ("RGB", "L", "RGBA", "P", "CMYK")[i % 5]
            image = Image.fromarray(pixels).convert(mode)
            suffix = "tif" if mode == "CMYK" else "png"
            image.save(root / name / f"{i:03d}.{suffix}")
    (root / "cats" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnot really")
    (root / "cats" / "notes.txt").write_text("not an image")
    return root


FIRST_RUN = "20260101-000000-first"
FEW_IDENTITIES = (240, 90, 4, 50)  # as in clmle.data.toonfaces.identities.SIZES


@pytest.fixture(scope="session")
def _trained_on_identities(tmp_path_factory):
    """A run trained on few illustrated identities, its summary, and their cache.

    Rendered and trained once for all workers; each has a copy to write into.
    """
    from clmle.run_folder import RunFolder

    own = tmp_path_factory.getbasetemp()
    shared = own.parent if os.environ.get("PYTEST_XDIST_WORKER") else own
    made = shared / "identities"
    with FileLock(f"{made}.lock"):
        if not (made / "complete").exists():
            (made / "summary").write_bytes(pickle.dumps(train_on_identities(made)))
            (made / "complete").touch()
    mine = Path(shutil.copytree(made, own / "own-identities"))
    summary = pickle.loads((mine / "summary").read_bytes())
    return RunFolder(mine / FIRST_RUN), summary, str(mine / "cache")


def train_on_identities(folder):
    """Render the identities and train on them in ``folder``; the summary of the run."""
    from clmle.data.toonfaces import identities
    from clmle.presets import preset_config
    from clmle.studies.execution import run_trial
    from clmle.studies.trials import Trial

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CLMLE_CACHE", str(folder / "cache"))
        patch.setitem(identities.SIZES, "quick", FEW_IDENTITIES)
        config = preset_config("quick", "clmle", "toonfaces-identities")
        small = {"iterations": 12, "pretrain_iterations": 4, "rounds": 1, "batch_size": 60,
                 "backbone": "tiny"}  # fmt: skip
        config = dataclasses.replace(
            config,
            data=dataclasses.replace(config.data, image_size=24),
            train=dataclasses.replace(config.train, **small),
        )
        return run_trial(Trial("clmle", config), folder / FIRST_RUN)


@pytest.fixture
def identity_run(_trained_on_identities, monkeypatch):
    """A run trained on identities, and its summary."""
    from clmle.data.toonfaces import identities

    run, summary, cache = _trained_on_identities
    monkeypatch.setenv("CLMLE_CACHE", cache)
    monkeypatch.setitem(identities.SIZES, "quick", FEW_IDENTITIES)
    return run, summary
