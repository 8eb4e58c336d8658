"""Full and read-only disks: a one-sentence error, and the work resumes when there is space."""

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from clmle import InputError
from clmle.data import pixel_writing
from clmle.data.toonfaces import build
from clmle.files import as_sentence
from clmle.run_folder import list_runs

ROOT = Path(__file__).resolve().parents[2]


class Disk:
    """A file system in memory with an adjustable size."""

    def __init__(self, path):
        self.path = path

    def mount(self, options):
        return subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self.path)],
            capture_output=True, check=False,
        ).returncode  # fmt: skip

    def change(self, options):
        subprocess.run(["mount", "-o", f"remount,{options}", str(self.path)], check=True)


@pytest.fixture
def disk(tmp_path):
    disk = Disk(tmp_path / "disk")
    disk.path.mkdir()
    if shutil.which("mount") is None or disk.mount("size=48k"):
        pytest.skip("this machine does not allow tests to mount a file system")
    yield disk
    subprocess.run(["umount", str(disk.path)], check=True)


def clmle(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "clmle", *map(str, arguments)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip


def assert_one_sentence(done, words):
    assert done.returncode == 2, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert "unforeseen" not in done.stderr


def test_a_run_that_filled_the_disk_resumes_when_there_is_space(disk):
    command = ["train", "digits", "--method", "softmax", *train_options(), "--runs-dir", disk.path]
    assert_one_sentence(clmle(*command), "disk is full")
    disk.change("size=50m")
    (run,) = list_runs(disk.path)
    done = clmle("train", "--resume", run.path.name, "--runs-dir", disk.path)
    assert done.returncode == 0, done.stderr
    assert run.result()["test"]["balanced_accuracy"] > 0


def test_an_array_that_fills_the_disk_gives_the_same_error(disk):
    """NumPy reports the number of written items and no error number."""
    with pytest.raises(OSError, match="requested and") as error:
        np.save(disk.path / "large.npy", np.ones(100_000))
    assert "disk is full" in str(as_sentence(error.value, disk.path))


@pytest.mark.parametrize(
    "command",
    [
        ["train", "digits", "--method", "softmax", "--runs-dir", "{disk}"],
        ["sweep", "--methods", "softmax", "--dataset", "digits", "--results",
         "{disk}/out.jsonl", "--jobs", "1"],
    ],
    ids=["train", "sweep"],
)  # fmt: skip
def test_a_read_only_disk_is_a_one_sentence_error(disk, command):
    disk.change("ro")
    done = clmle(*(word.format(disk=disk.path) for word in command))
    assert_one_sentence(done, str(disk.path))


@pytest.mark.parametrize("allocates", [True, False])
def test_faces_on_a_disk_of_any_size_are_whole_or_a_sentence(disk, allocates, monkeypatch):
    monkeypatch.setenv("CLMLE_CACHE", str(disk.path / "cache"))
    monkeypatch.setattr(build, "_workers", lambda *_: ThreadPoolExecutor(1))
    if not allocates:  # as a file system that has no allocation, or gives no free space
        monkeypatch.setattr(pixel_writing, "_check_room", lambda *_: None)
        monkeypatch.delattr(os, "posix_fallocate")
    plan, said = build.Plan("quick", 32, 0, (12, 2, 2)), []
    for size in range(8, 100, 4):
        disk.change(f"size={size}k")
        try:
            found = build.load_plan(plan)
            break
        except InputError as error:
            said.append(str(error))
    assert found.images[:].any(axis=(1, 2, 3)).all()
    assert said
    for text in said:
        assert "disk is full" in text or "free some space" in text


def train_options():
    return ["--iterations", 6, "--pretrain-iterations", 2, "--rounds", 1, "--backbone", "tiny"]
