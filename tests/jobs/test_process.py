"""A process is identified by its number and start time."""

import os
import subprocess
import sys

import pytest

from clmle._spin import SHORT_SPIN
from clmle.jobs.process import birth, end, start_module


def sleeper():
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])


def test_the_start_time_is_constant_while_a_process_lives():
    assert birth(os.getpid()) == birth(os.getpid()) != ""
    process = sleeper()
    try:
        assert birth(process.pid) == birth(process.pid) != ""
    finally:
        process.kill()
    process.poll()
    while birth(process.pid):  # killed, perhaps a zombie
        pass
    process.wait()
    assert birth(process.pid) == ""


def test_only_the_process_with_the_start_time_is_ended():
    process = sleeper()
    try:
        assert not end(process.pid, "")
        assert not end(process.pid, "another birth")
        assert process.poll() is None
        assert end(process.pid, birth(process.pid))
        assert process.wait() != 0
    finally:
        process.kill()
        process.wait()
    assert not end(process.pid, "1")


def test_a_child_runs_no_code_of_the_folder_it_is_started_in(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("queue", "json", "torch", "clmle", "filelock"):
        (tmp_path / f"{name}.py").write_text("open('executed', 'w')")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["", ".", str(tmp_path / "none")]))
    process = start_module("clmle", "methods-that-do-not-exist", log=tmp_path / "log.txt")
    assert process.wait() == 2
    assert "clmle" in (tmp_path / "log.txt").read_text()
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize("given", [None, "7"])
def test_threads_of_a_child_spin_for_a_short_time_unless_told_otherwise(given, monkeypatch):
    monkeypatch.delenv("GOMP_SPINCOUNT", raising=False)
    if given:
        monkeypatch.setenv("GOMP_SPINCOUNT", given)
    environments = []
    monkeypatch.setattr(subprocess, "Popen", lambda *_, env, **__: environments.append(env))
    start_module("clmle")
    assert environments[0]["GOMP_SPINCOUNT"] == (given or SHORT_SPIN["GOMP_SPINCOUNT"])
