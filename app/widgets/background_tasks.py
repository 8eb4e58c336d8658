"""Processes that compute something for a page.

Sessions that want the same share one process. It ends soon after the last of them has
disconnected, which browsers do without notice. Runs and studies are no background tasks: they
outlive the page.
"""

import atexit
import subprocess
import threading
import time
from collections.abc import Callable
from typing import Any

import streamlit as st

from app.widgets.literal import literal
from clmle import jobs

GRACE = 10.0  # seconds without a session until a task ends: a reload takes less
POLL_EVERY = 1.0
RESTART_AFTER = 5.0  # seconds before a finished task that is wanted again is started again
MAX_OUTPUT = 2000  # characters of stderr that are kept


def this_session() -> str:
    """Identifier of this browser tab; a reload makes another."""
    from streamlit.runtime.scriptrunner import get_script_run_ctx

    found = get_script_run_ctx()
    return found.session_id if found else ""


def connected(session: str) -> bool:
    """Whether the tab is open; always true where a page runs without a server."""
    from streamlit import runtime

    return not runtime.exists() or runtime.get_instance().is_active_session(session)


class Visitors:
    """The sessions that use something, and for how long there has been none."""

    def __init__(self) -> None:
        self._sessions: set[str] = set()
        self._last = time.monotonic()
        self._lock = threading.Lock()

    def here(self) -> None:
        """Record that the current session uses it."""
        with self._lock:
            self._sessions.add(this_session())
            self._last = time.monotonic()

    def absent_for(self) -> float:
        """Seconds since the last session was connected; has to be called regularly."""
        with self._lock:
            self._sessions = {s for s in self._sessions if connected(s)}
            if self._sessions:
                self._last = time.monotonic()
            return time.monotonic() - self._last


class BackgroundTask:
    """One process: whether it runs, and its error output if it failed."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.began = time.monotonic()
        self.ended: float | None = None
        self.output = ""
        self.visitors = Visitors()
        threading.Thread(target=self._read, daemon=True).start()

    @property
    def running(self) -> bool:
        return self.ended is None

    @property
    def failed(self) -> bool:
        return self.ended is not None and self.process.returncode != 0

    def error(self, otherwise: str) -> str:
        """The end of its error output as Markdown, or ``otherwise`` where there is none."""
        return literal(self.output.strip()[-300:]) or otherwise

    def _read(self) -> None:
        if self.process.stderr is not None:
            for line in iter(self.process.stderr.readline, b""):
                self.output = (self.output + line.decode(errors="replace"))[-MAX_OUTPUT:]
        self.process.wait()
        self.ended = time.monotonic()


class BackgroundTasks:
    """All tasks of this server, by what they compute."""

    def __init__(self) -> None:
        self._known: dict[str, BackgroundTask] = {}
        self._lock = threading.Lock()
        threading.Thread(target=self._watch, daemon=True).start()
        atexit.register(self.stop_all)

    def find(self, key: str) -> BackgroundTask | None:
        """The task ``key``, if it was started; asking for it keeps it alive."""
        with self._lock:
            task = self._known.get(key)
        if task is not None:
            task.visitors.here()
        return task

    def want(self, key: str, start: Callable[[], subprocess.Popen[bytes]]) -> BackgroundTask:
        """The task ``key``, started if there is none."""
        with self._lock:
            task = self._known.get(key)
            over = task is not None and task.ended is not None and not task.failed
            if task is None or (over and time.monotonic() - (task.ended or 0) > RESTART_AFTER):
                task = self._known[key] = BackgroundTask(start())
        task.visitors.here()
        return task

    def stop(self, key: str) -> None:
        """End the process, with all that it started, and forget it."""
        with self._lock:
            task = self._known.pop(key, None)
        if task is not None:
            jobs.end_with_children(task.process)

    def stop_all(self) -> None:
        """End all processes."""
        for key in list(self._known):
            self.stop(key)

    def _watch(self) -> None:
        while True:
            time.sleep(POLL_EVERY)
            for key, task in list(self._known.items()):
                if task.visitors.absent_for() > GRACE:
                    self.stop(key)


@st.cache_resource(show_spinner=False)
def background_tasks() -> BackgroundTasks:
    """The tasks of this server."""
    return BackgroundTasks()


def wait_for(
    running: Callable[[], bool], ready: Callable[[], bool], show: Callable[[], Any]
) -> None:
    """``show`` the progress every second; run the page again when the result is ``ready``."""

    @st.fragment(run_every=1.0)
    def part() -> None:
        show()
        if ready() or not running():
            st.rerun()

    part()
