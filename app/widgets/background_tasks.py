"""Processes that make something for a page to show.

One for all who want the same; it ends soon after the last browser that waits for it has gone.
Runs and studies are no helpers: they were started to be kept.
"""

from __future__ import annotations

import atexit
import subprocess
import threading
import time
from collections.abc import Callable

import streamlit as st

from app.widgets.sessions import Presence
from clmle.jobs.process import end_with_children

GRACE = 10.0  # seconds without anybody: a reload takes less
LOOK_EVERY = 1.0
AGAIN = 5.0  # seconds before what ended well, but is asked for again, is made anew
MOST_SAID = 2000  # characters of what a process says last


class Helper:
    """One process: whether it runs, and what it said if it failed."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.began = time.monotonic()
        self.ended: float | None = None
        self.said = ""
        self.wanted = Presence()
        threading.Thread(target=self._listen, daemon=True).start()

    @property
    def running(self) -> bool:
        return self.ended is None

    @property
    def failed(self) -> bool:
        return self.ended is not None and self.process.returncode != 0

    def last_words(self, otherwise: str) -> str:
        """The end of what it said, as a sentence for the page."""
        return self.said.strip()[-300:] or otherwise

    def end(self) -> None:
        """End it, and what it started."""
        end_with_children(self.process)

    def _listen(self) -> None:
        if self.process.stderr is not None:
            for line in iter(self.process.stderr.readline, b""):
                self.said = (self.said + line.decode(errors="replace"))[-MOST_SAID:]
        self.process.wait()
        self.ended = time.monotonic()


class Helpers:
    """All helpers of this server, by what they make."""

    def __init__(self) -> None:
        self._known: dict[str, Helper] = {}
        self._lock = threading.Lock()
        threading.Thread(target=self._watch, daemon=True).start()
        atexit.register(self.end_all)

    def find(self, key: str) -> Helper | None:
        """The helper that somebody started, if there is one; asking keeps it."""
        with self._lock:
            helper = self._known.get(key)
        if helper is not None:
            helper.wanted.here()
        return helper

    def want(self, key: str, start: Callable[[], subprocess.Popen[bytes]]) -> Helper:
        """The helper that makes ``key``, started where there is none."""
        with self._lock:
            helper = self._known.get(key)
            over = helper is not None and helper.ended is not None and not helper.failed
            if helper is None or (over and time.monotonic() - (helper.ended or 0) > AGAIN):
                helper = self._known[key] = Helper(start())
        helper.wanted.here()
        return helper

    def drop(self, key: str) -> None:
        """End it and forget it."""
        with self._lock:
            helper = self._known.pop(key, None)
        if helper is not None:
            helper.end()

    def end_all(self) -> None:
        for key in list(self._known):
            self.drop(key)

    def _watch(self) -> None:
        while True:
            time.sleep(LOOK_EVERY)
            for key, helper in list(self._known.items()):
                if helper.wanted.alone_for() > GRACE:
                    self.drop(key)


@st.cache_resource(show_spinner=False)
def helpers() -> Helpers:
    """The helpers of this server."""
    return Helpers()
