"""Runs in background processes: they outlive the caller, and a killed one is found and resumed."""

import os
import signal
import time

import pytest

from clmle import InputError
from clmle.config import override
from clmle.jobs import resume
from clmle.jobs.launch import launch
from clmle.presets import preset_config
from clmle.run_folder import ACTIVE, create_run, list_runs, open_run


def config(iterations):
    base = preset_config("quick", "softmax", "digits")
    values = {"iterations": iterations, "rounds": 2, "batch_size": 60, "threads": 1}
    return type(base)(base.method, base.options, base.data, override(base.train, values, "train"))


def wait_for(run, states, seconds=600):
    deadline = time.time() + seconds
    while run.status()["state"] not in states and time.time() < deadline:
        time.sleep(0.1)
    return run.status()["state"]


def test_a_launched_run_finishes_in_the_background(tmp_path):
    run = launch(config(6), tmp_path)
    assert run.status()["state"] in ACTIVE
    assert wait_for(run, {"done"}) == "done"
    assert run.result()["iterations"] == 6
    with pytest.raises(InputError, match="done"):
        resume(run)


def test_killed_run_is_lost_then_resumed(tmp_path):
    run = launch(config(3000), tmp_path)
    while not run.metrics("train"):
        time.sleep(0.05)
    os.kill(run.status()["pid"], signal.SIGKILL)
    assert wait_for(run, {"lost"}) == "lost"
    resume(run)
    assert wait_for(run, {"running"}) == "running"
    run.request_stop()
    assert wait_for(run, {"stopped"}) == "stopped"


def test_runs_are_listed_newest_first_and_names_are_their_own(tmp_path):
    tree = config(1).to_dict()
    names = [create_run(tmp_path, tree).name for _ in range(3)]
    assert len(set(names)) == 3
    assert {run.name for run in list_runs(tmp_path)} == set(names)
    with pytest.raises(InputError, match="nothing"):
        open_run(tmp_path, "nothing")
    with pytest.raises(InputError):
        open_run(tmp_path, "../elsewhere")
