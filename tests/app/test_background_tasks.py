"""Processes of a page are shared by all who want them, and end when nobody is left."""

import subprocess
import sys
import time

import pytest

from app.widgets import background_tasks, sessions
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
    """Two browser tabs, and a server's helpers that look often."""
    monkeypatch.setattr(background_tasks, "GRACE", 0.3)
    monkeypatch.setattr(background_tasks, "LOOK_EVERY", 0.05)
    tabs = {"now": "a", "open": {"a", "b"}}
    monkeypatch.setattr(sessions, "this_session", lambda: tabs["now"])
    monkeypatch.setattr(sessions, "connected", lambda session: session in tabs["open"])
    found = background_tasks.Helpers()
    yield found, tabs
    found.end_all()


def test_one_process_serves_all_and_ends_with_its_children_when_the_last_has_gone(world):
    found, tabs = world
    first = found.want("same", lambda: started(PARENT))
    child = int(first.process.stdout.readline())
    tabs["now"] = "b"
    assert found.want("same", lambda: pytest.fail("a second one")) is first
    tabs["open"].remove("a")
    time.sleep(0.8)
    assert first.running  # b still waits
    tabs["open"].remove("b")
    assert within(10, lambda: not first.running)
    assert within(10, lambda: birth(child) == "")
    assert found.find("same") is None


def test_a_reload_keeps_it(world):
    found, tabs = world
    helper = found.want("same", lambda: started(PARENT))
    tabs["open"] = set()
    time.sleep(0.15)
    tabs |= {"now": "c", "open": {"c"}}
    assert found.want("same", lambda: pytest.fail("a second one")) is helper
    time.sleep(0.8)
    assert helper.running


def test_what_failed_says_why_and_is_not_begun_again_at_once(world):
    found, _ = world
    code = "import sys; sys.stderr.write('The disk is full.\\n' * 9000); sys.exit(2)"
    helper = found.want("same", lambda: started(code))
    assert within(20, lambda: not helper.running)  # however much it says
    assert helper.failed
    assert "The disk is full." in helper.last_words("no word")
    assert found.want("same", lambda: pytest.fail("begun again")) is helper
    found.drop("same")
    assert found.find("same") is None
