"""The system clock jumps by hours during a run: times, status and queue stay right."""

import re
import time
from collections import Counter
from pathlib import Path

import pytest

from clmle.files import read_json, write_json
from clmle.jobs.process import birth
from clmle.jobs.run_queue import WAITING, ahead, wait_for_slot
from clmle.run_folder import create_run
from clmle.training import train, trainer
from clmle.training.reporting import Reporter
from tests.robustness.faults_work import TIMES, tiny

ROOT = Path(__file__).resolve().parents[2]
HOURS = (-40, -10, 10, 40)


class Clock:
    """``time.time`` that can be set; ``jump`` in hours."""

    def __init__(self):
        self.true, self.jump, self.jumps = time.time, 0.0, 0

    def __call__(self):
        return self.true() + 3600 * self.jump


@pytest.fixture
def clock(monkeypatch):
    found = Clock()
    monkeypatch.setattr(time, "time", found)
    return found


def reports_of(folder, clock=None, hours=0.0):
    """Status reports of a run while the clock jumps at step 5 and at every third step after it.

    Also the status that others read, and the result without times.
    """
    run = create_run(folder, tiny("clmle").to_dict())
    reported, seen = [], []

    def report(status):
        if clock is not None and status["step"] >= 5 and status["step"] % 3 == 2:
            clock.jump, clock.jumps = hours if clock.jump == 0 else 0.0, clock.jumps + 1
        reported.append(status)
        seen.append((run.status()["state"], status["state"]))

    began = time.monotonic()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trainer, "STATUS_EVERY", -1.0)  # a report at every step
        result = train(run, report=report)
    took = time.monotonic() - began
    assert clock is None or clock.jumps > 2
    assert all(0 <= status["seconds"] <= took for status in reported)
    assert all(0 <= (status["seconds_left"] or 0) < 100 * took for status in reported)
    assert 0 <= result["seconds"] <= took
    assert all(read == reported for read, reported in seen)
    words = {(status["state"], status["phase"]) for status in reported}
    lines = [(line["kind"], line["step"], line.get("loss")) for line in run.metrics()]
    return words, lines, {k: v for k, v in result.items() if k not in TIMES}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    return reports_of(tmp_path_factory.mktemp("undisturbed"))


@pytest.mark.parametrize("hours", HOURS)
def test_a_run_is_the_same_as_with_a_right_clock(hours, undisturbed, tmp_path, clock):
    assert reports_of(tmp_path, clock, hours) == undisturbed


@pytest.mark.parametrize("hours", HOURS)
def test_a_run_without_news_is_alive_and_keeps_its_place_in_the_queue(hours, tmp_path, clock):
    first, second = sorted(
        (create_run(tmp_path, tiny("softmax").to_dict()) for _ in range(2)), key=lambda r: r.name
    )
    Reporter(first, 10, None).write("round 1", 3)
    second.write_status(state="queued", phase=WAITING, step=0, total=0)
    clock.jump = hours
    assert first.status()["state"] == "running"
    assert ahead(second) == 1
    second.request_stop()
    assert not wait_for_slot(second, 1)


@pytest.mark.parametrize("hours", HOURS)
def test_a_run_whose_process_is_gone_is_lost(hours, tmp_path, clock):
    run = create_run(tmp_path, tiny("softmax").to_dict())
    Reporter(run, 10, None).write("round 1", 3)
    file = run.path / "status.json"
    write_json(file, read_json(file) | {"born": "1"})  # the number belongs to another process now
    clock.jump = hours
    assert run.status()["state"] == "lost"


def test_a_status_without_process_start_is_trusted_for_a_day(tmp_path, clock):
    run = create_run(tmp_path, tiny("softmax").to_dict())
    Reporter(run, 10, None).write("round 1", 3)
    file = run.path / "status.json"
    status = read_json(file)
    assert status.pop("born") == birth(status["pid"])
    write_json(file, status)
    clock.jump = 10
    assert run.status()["state"] == "running"
    clock.jump = 40
    assert run.status()["state"] == "lost"


def test_durations_do_not_use_the_system_clock():
    """They use ``time.monotonic``; ``time.time`` remains for dates and the case above."""
    found = Counter()
    for folder in ("clmle", "app"):
        for file in (ROOT / folder).rglob("*.py"):
            uses = re.findall(r"\btime\.time\(|datetime\.now|st_mtime <", file.read_text("utf-8"))
            found[file.relative_to(ROOT).as_posix()] += len(uses)
    assert +found == {
        "clmle/run_folder/folder.py": 1,
        "clmle/jobs/process.py": 1,
        "clmle/jobs/trash.py": 1,
        "clmle/studies/background.py": 1,
    }
