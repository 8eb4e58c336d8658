"""Waiting: a bar with the time left, and results that are made once for all sessions."""

import threading
import time

import pytest
from streamlit.testing.v1 import AppTest

from app.widgets.progress import Held


def bars(script):
    app = AppTest.from_function(script, default_timeout=600).run()
    assert not app.exception
    return [bar.proto.text for bar in app.get("progress")]


def test_a_bar_counts_and_states_the_time_left():
    def script():
        import time

        from app.widgets.progress import timed_bar

        timed_bar(0, 0, "images read", time.monotonic())
        timed_bar(100, 400, "images read", time.monotonic() - 10)
        timed_bar(300, 400, "images read", time.monotonic() - 10, earlier=200)

    assert bars(script) == [
        "Starting: images read",
        "100 of 400 images read, about 30 s left",
        "300 of 400 images read, about 10 s left",
    ]


def test_a_bar_disappears_when_the_work_ends():
    def script():
        from app.widgets.progress import progress_bar

        with progress_bar("images read") as show:
            show(1, 2)

    assert bars(script) == []


def test_a_result_is_made_once_for_sessions_that_want_it_at_the_same_time():
    held, made, found = Held(2), [], []

    def make():
        made.append(1)
        time.sleep(0.2)
        return len(made)

    threads = [threading.Thread(target=lambda: found.append(held.get("a", make))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [1] * 4


def test_the_oldest_result_is_dropped_and_a_failure_is_not_kept():
    held = Held(2)
    for key in "abc":
        held.get(key, lambda key=key: key.upper())
    assert [key in held for key in "abc"] == [False, True, True]
    held.drop("b")

    def fail():
        raise KeyError

    with pytest.raises(KeyError):
        held.get("b", fail)
    assert held.get("b", lambda: 2) == 2
