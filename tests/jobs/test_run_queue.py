"""Waiting runs: the oldest starts first, with a limit of training runs, one process for each."""

import subprocess
import sys
import time

import pytest
from filelock import FileLock

from clmle import InputError
from clmle.config import override
from clmle.jobs.launch import launch
from clmle.jobs.run_queue import WAITING, ahead, wait_for_slot, waits
from clmle.presets import preset_config
from clmle.run_folder import create_run, list_runs
from clmle.training import train


def config(iterations=4):
    base = preset_config("quick", "softmax", "digits")
    values = {"iterations": iterations, "rounds": 1, "batch_size": 30, "threads": 1}
    return type(base)(base.method, base.options, base.data, override(base.train, values, "train"))


def put(run, state, phase=""):
    run.write_status(
        state=state, phase=phase, step=0, total=0, message="", seconds=0.0, seconds_left=None
    )


@pytest.fixture
def runs(tmp_path):
    """Four runs, oldest first, made in one second."""
    made = [create_run(tmp_path, config().to_dict()) for _ in range(4)]
    return sorted(made, key=lambda run: run.name)


def test_training_runs_and_older_waiting_runs_are_ahead(runs):
    put(runs[3], "running", "round 1 of 1")  # started at once, though the newest
    put(runs[0], "queued", WAITING)
    put(runs[1], "queued", WAITING)
    put(runs[2], "done")
    assert [ahead(run) for run in runs[:2]] == [1, 2]
    put(runs[0], "queued", "starting")  # counts as training
    assert not waits(runs[0].status())
    assert ahead(runs[1]) == 2
    put(runs[3], "stopped")
    assert ahead(runs[1]) == 1


def test_a_run_whose_process_died_blocks_no_other_run(runs):
    runs[0].write_status(state="running", phase="", step=0, total=0, pid=2**22 - 3)
    assert runs[0].status()["state"] == "lost"
    put(runs[1], "queued", WAITING)
    assert wait_for_slot(runs[1], 1)
    assert runs[1].status()["phase"] == "starting"


def test_a_waiting_run_that_is_asked_to_stop_never_starts(runs):
    put(runs[0], "running")
    runs[1].request_stop()
    assert not wait_for_slot(runs[1], 1)
    assert runs[1].status()["state"] == "stopped"


def test_runs_launched_with_a_limit_of_one_train_in_turn(tmp_path):
    made = [launch(config(), tmp_path, at_a_time=1) for _ in range(2)]
    deadline, most = time.time() + 600, 0
    while time.time() < deadline:
        states = [run.status() for run in list_runs(tmp_path)]
        most = max(most, sum(s["state"] == "running" for s in states))
        assert all(s["state"] not in ("failed", "lost") for s in states)
        if all(s["state"] == "done" for s in states):
            break
        time.sleep(0.05)
    assert all(run.result() for run in made)
    assert most == 1
    ended = [
        (run.path / "result.json").stat().st_mtime for run in sorted(made, key=lambda r: r.name)
    ]
    assert ended == sorted(ended)


def test_a_second_process_on_a_run_folder_is_refused_and_changes_nothing(runs):
    run = runs[0]
    put(run, "running", "round 1 of 1")
    before = run.status()
    with (
        FileLock(run.path / ".training"),
        pytest.raises(InputError, match="Another process is training run"),
    ):
        train(run)
    assert run.status() == before
    assert train(run)["iterations"] == 4  # the lock is gone with its holder


def test_a_waiting_process_has_not_imported_pytorch():
    code = "import sys, clmle.jobs.wait; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
