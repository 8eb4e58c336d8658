"""Small worlds that tests share."""

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
