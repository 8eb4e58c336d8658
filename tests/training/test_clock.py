"""The system clock is set by hours while a run goes on: nothing is lost, hangs or is told wrong."""

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


def course(folder, clock=None, hours=0.0):
    """What a run tells while the clock is set at its fifth step and at every third from there on.

    Also what others read of it meanwhile, and its result but for times.
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
        patch.setattr(trainer, "TOLD_EVERY", -1.0)  # every step is told
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
    return course(tmp_path_factory.mktemp("undisturbed"))


@pytest.mark.parametrize("hours", HOURS)
def test_a_run_goes_on_as_if_the_clock_were_right(hours, undisturbed, tmp_path, clock):
    assert course(tmp_path, clock, hours) == undisturbed


@pytest.mark.parametrize("hours", HOURS)
def test_a_run_that_said_nothing_since_is_alive_and_holds_its_place(hours, tmp_path, clock):
    first, second = sorted(
        (create_run(tmp_path, tiny("softmax").to_dict()) for _ in range(2)), key=lambda r: r.name
    )
    Reporter(first, 10, None).tell("round 1", 3)
    second.write_status(state="queued", phase=WAITING, step=0, total=0)
    clock.jump = hours
    assert first.status()["state"] == "running"
    assert ahead(second) == 1
    second.request_stop()
    assert not wait_for_slot(second, 1)


@pytest.mark.parametrize("hours", HOURS)
def test_a_run_whose_process_has_gone_is_lost_all_the_same(hours, tmp_path, clock):
    run = create_run(tmp_path, tiny("softmax").to_dict())
    Reporter(run, 10, None).tell("round 1", 3)
    file = run.path / "status.json"
    write_json(file, read_json(file) | {"born": "1"})  # its number was given to another process
    clock.jump = hours
    assert run.status()["state"] == "lost"


def test_a_status_of_an_earlier_version_is_believed_for_a_day(tmp_path, clock):
    run = create_run(tmp_path, tiny("softmax").to_dict())
    Reporter(run, 10, None).tell("round 1", 3)
    file = run.path / "status.json"
    status = read_json(file)
    assert status.pop("born") == birth(status["pid"])
    write_json(file, status)
    clock.jump = 10
    assert run.status()["state"] == "running"
    clock.jump = 40
    assert run.status()["state"] == "lost"


def test_nothing_else_asks_the_clock_that_can_be_set():
    """Durations come from ``time.monotonic``; what is left are dates, and the case above."""
    found = Counter()
    for folder in ("clmle", "app"):
        for file in (ROOT / folder).rglob("*.py"):
            uses = re.findall(r"\btime\.time\(|datetime\.now|st_mtime <", file.read_text("utf-8"))
            found[file.relative_to(ROOT).as_posix()] += len(uses)
    assert +found == {"clmle/run_folder.py": 2, "clmle/studies/background.py": 1}
