"""Small worlds that tests share."""

import dataclasses
import os

import numpy as np
import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session", autouse=True)
def _one_thread():
    import torch

    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _own_folders(tmp_path, monkeypatch):
    """Runs and rendered faces of a test stay in its own folder."""
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


FEW_PEOPLE = (240, 90, 4, 50)  # as in clmle.data.toonfaces.people.PEOPLE


@pytest.fixture(scope="session")
def _learnt_people(tmp_path_factory):
    """Few illustrated people, drawn once: a run that learnt them, its summary, their cache."""
    from clmle.data.toonfaces import people
    from clmle.experiments.cells import Cell, run_cell
    from clmle.presets import preset_settings
    from clmle.run_folder import RunFolder

    with pytest.MonkeyPatch.context() as patch:
        cache = str(tmp_path_factory.mktemp("cache"))
        patch.setenv("CLMLE_CACHE", cache)
        patch.setitem(people.PEOPLE, "quick", FEW_PEOPLE)
        settings = preset_settings("quick", "clmle", "toonfaces-identities")
        small = {"iterations": 12, "prior_iterations": 4, "rounds": 1, "batch_size": 60,
                 "backbone": "tiny"}  # fmt: skip
        settings = dataclasses.replace(
            settings,
            data=dataclasses.replace(settings.data, image_size=24),
            train=dataclasses.replace(settings.train, **small),
        )
        folder = tmp_path_factory.mktemp("run") / "20260101-000000-first"
        return RunFolder(folder), run_cell(Cell("clmle", settings), folder), cache


@pytest.fixture
def world(_learnt_people, monkeypatch):
    """A run on identities, its summary; the few people that it learnt and was asked about."""
    from clmle.data.toonfaces import people

    run, summary, cache = _learnt_people
    monkeypatch.setenv("CLMLE_CACHE", cache)
    monkeypatch.setitem(people.PEOPLE, "quick", FEW_PEOPLE)
    return run, summary
