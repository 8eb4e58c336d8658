"""Kills, full and read-only disks, a clock set back: no loss of work, and one-sentence errors."""

import builtins
import errno
import json
import multiprocessing
import multiprocessing.queues
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from clmle import InputError
from clmle.__main__ import main
from clmle.data.toonfaces import build
from clmle.run_folder import create_run
from clmle.training import train
from clmle.training.reporting import Reporter
from tests.robustness.faults import descendants
from tests.robustness.faults_work import tiny

ROOT = Path(__file__).resolve().parents[2]


def test_resuming_after_random_kills_gives_identical_output():
    kinds = ("training, within a checkpoint", "export, anywhere")
    command = [
        sys.executable,
        "-m",
        "tests.robustness.faults",
        "--only",
        *kinds,
        "--fraction",
        "0.05",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    table = [[value.strip() for value in line.split("|")[1:-1]] for line in lines(done.stdout)]
    assert len(table) == 2 + len(kinds)
    for row in table[2:]:
        found = dict(zip(table[0], row, strict=True))
        assert found["kills"] == "2"
        assert int(found["completed"]) >= 1
        assert int(found["values compared"]) > 5
        assert found["differences"] == "0", found["differing values"]


def lines(text):
    """The lines of a Markdown table."""
    return [line for line in text.splitlines() if line.startswith("|")]


def _render():
    build.load_toonfaces("quick", image_size=16, n_workers=2)


def test_rendering_workers_end_when_their_parent_is_killed():
    process = multiprocessing.get_context("spawn").Process(target=_render)
    process.start()
    workers, deadline = [], time.monotonic() + 600
    while len(workers) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
        workers = [p for p in descendants(process.pid) if b"spawn_main" in words(p)]
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert workers
    while any(words(pid) for pid in workers) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not any(words(pid) for pid in workers)


def _end_holding_the_lock():
    """A worker that is killed while it reads the stop message."""

    def get(queue, block=True, timeout=None):
        with queue._rlock:
            item = pickle.loads(queue._recv_bytes())
            if item is None:
                os.kill(os.getpid(), signal.SIGKILL)
            queue._sem.release()
        return item

    multiprocessing.queues.Queue.get = get


def _close_the_pool():
    build.get_context = lambda _: multiprocessing.get_context("fork")
    build._end_with_parent = _end_holding_the_lock
    with build._workers(build.Plan.of("quick", 16, 0), 2) as pool:
        list(pool.map(abs, range(40)))


def test_a_pool_does_not_wait_for_a_worker_killed_while_it_closes():
    process = multiprocessing.get_context("spawn").Process(target=_close_the_pool)
    process.start()
    process.join(600)
    hung = process.is_alive()
    for pid in descendants(process.pid) if hung else ():
        os.kill(pid, signal.SIGKILL)
    process.kill()
    process.join()
    assert not hung
    assert process.exitcode == 0


def words(pid):
    """The command line of a process, empty if it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def failing(kind, after=0):
    """mkstemp on a disk that fails after ``after`` calls."""
    true, calls = tempfile.mkstemp, []

    def mkstemp(*args, **kwargs):
        calls.append(1)
        if len(calls) > after:
            raise OSError(kind, os.strerror(kind))
        return true(*args, **kwargs)

    return mkstemp


@pytest.mark.parametrize(
    ("kind", "after", "sentence"),
    [
        (errno.ENOSPC, 0, "disk is full"),
        (errno.ENOSPC, 6, "disk is full"),
        (errno.EROFS, 6, "Read-only"),
        (errno.EACCES, 0, "Permission"),
    ],
)
def test_a_failing_disk_is_a_one_sentence_error_and_the_run_can_be_resumed(
    kind, after, sentence, tmp_path, capsys
):
    run = create_run(tmp_path, tiny("softmax").to_dict())
    command = ["train", "--resume", run.name, "--runs-dir", str(tmp_path)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "mkstemp", failing(kind, after))
        code = main(command)
    err = [line for line in capsys.readouterr().err.splitlines() if line.startswith("clmle:")]
    assert code == 2
    assert len(err) == 1
    assert sentence in err[0]
    assert main(command) == 0
    assert run.status()["state"] == "done"


def test_a_full_disk_while_appending_metrics_is_a_one_sentence_error(tmp_path, monkeypatch):
    run = create_run(tmp_path, tiny("softmax").to_dict())
    true = builtins.open

    def full(file, mode="r", *args, **kwargs):
        if "a" in mode and str(file).endswith("metrics.jsonl"):
            raise OSError(errno.ENOSPC, "No space left on device")
        return true(file, mode, *args, **kwargs)

    monkeypatch.setattr(builtins, "open", full)
    with pytest.raises(InputError, match="disk is full"):
        train(run)
    status = json.loads((run.path / "status.json").read_text())
    assert status["state"] == "failed"
    assert "disk is full" in status["message"]


def test_a_clock_set_back_gives_no_negative_duration(tmp_path, monkeypatch):
    run = create_run(tmp_path, tiny("softmax").to_dict())
    true, calls = time.time, []

    def back():  # an hour earlier at each call
        calls.append(1)
        return true() - 3600 * len(calls)

    monkeypatch.setattr(time, "time", back)
    reported = []
    result = train(run, report=reported.append)
    assert result["seconds"] >= 0
    assert calls
    assert all(status["seconds"] >= 0 for status in reported)
    assert all((status["seconds_left"] or 0) >= 0 for status in reported)
    assert run.status()["state"] == "done"


def test_a_status_from_the_future_counts_as_running(tmp_path):
    run = create_run(tmp_path, tiny("softmax").to_dict())
    Reporter(run, 10, None).write("round 1", 3)
    file = run.path / "status.json"
    status = json.loads(file.read_text()) | {"updated": time.time() + 7 * 86400}
    file.write_text(json.dumps(status))
    assert run.status()["state"] == "running"


def test_temporary_files_of_a_killed_process_are_removed(tmp_path):
    run = create_run(tmp_path, tiny("softmax").to_dict())
    left = run.path / ".checkpoint.safetensors.x1y2.part"
    left.write_bytes(b"half")
    train(run)
    assert not left.exists()


def test_a_run_killed_before_its_first_checkpoint_repeats_no_metrics(tmp_path):
    run = create_run(tmp_path, tiny("softmax").to_dict())
    run.append_metrics(kind="train", step=1, loss=2.0, learning_rate=0.1)
    train(run)
    steps = [line["step"] for line in run.metrics("train")]
    assert steps == sorted(set(steps))
    assert run.metrics("train")[0]["loss"] != 2.0
