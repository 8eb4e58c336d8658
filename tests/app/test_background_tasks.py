"""Background tasks are shared by sessions and end when no session is left."""

import subprocess
import sys
import time

import pytest

from app.widgets import background_tasks
from clmle.jobs.process import birth

PARENT = (
    "import subprocess, sys, time;"
    "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
    "print(p.pid, flush=True); time.sleep(60)"
)


def started(code):
    return subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        start_new_session=True,
    )  # fmt: skip


def within(seconds, true):
    deadline = time.time() + seconds
    while time.time() < deadline and not true():
        time.sleep(0.02)
    return true()


@pytest.fixture
def world(monkeypatch):
    """Two browser tabs, and the tasks of a server that polls often."""
    monkeypatch.setattr(background_tasks, "GRACE", 0.3)
    monkeypatch.setattr(background_tasks, "POLL_EVERY", 0.05)
    tabs = {"now": "a", "open": {"a", "b"}}
    monkeypatch.setattr(background_tasks, "this_session", lambda: tabs["now"])
    monkeypatch.setattr(background_tasks, "connected", lambda session: session in tabs["open"])
    found = background_tasks.BackgroundTasks()
    yield found, tabs
    found.stop_all()


def test_one_process_serves_all_sessions_and_ends_with_its_children_after_the_last(world):
    found, tabs = world
    first = found.want("same", lambda: started(PARENT))
    child = int(first.process.stdout.readline())
    tabs["now"] = "b"
    assert found.want("same", lambda: pytest.fail("a second one")) is first
    tabs["open"].remove("a")
    time.sleep(0.8)
    assert first.running  # b is still connected
    tabs["open"].remove("b")
    assert within(600, lambda: not first.running)
    assert within(600, lambda: birth(child) == "")
    assert found.find("same") is None


def test_a_reload_keeps_the_task(world):
    found, tabs = world
    task = found.want("same", lambda: started(PARENT))
    tabs["open"] = set()
    time.sleep(0.15)
    tabs |= {"now": "c", "open": {"c"}}
    assert found.want("same", lambda: pytest.fail("a second one")) is task
    time.sleep(0.8)
    assert task.running


def test_a_failed_task_reports_its_error_and_is_not_restarted_at_once(world):
    found, _ = world
    code = "import sys; sys.stderr.write('The disk is full.\\n' * 9000); sys.exit(2)"
    task = found.want("same", lambda: started(code))
    assert within(600, lambda: not task.running)  # however long its output is
    assert task.failed
    assert "The disk is full." in task.error("no output")
    assert found.want("same", lambda: pytest.fail("restarted")) is task
    found.stop("same")
    assert found.find("same") is None
