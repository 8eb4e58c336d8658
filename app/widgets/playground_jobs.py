"""Courses trained in the background: one process for the server, results kept and shared."""

from __future__ import annotations

import atexit
import threading
import time
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import streamlit as st

from app.widgets.sessions import Presence

LEASE = 10.0  # seconds after which a course that nobody looks at any more is given up
GRACE = 15.0  # seconds after the last visitor has gone until the process ends
KEPT = 120  # courses; about 1 MB each

Key = tuple[Any, str, int]  # problem, method, clusters


class Job:
    """One course on its way: what is reached so far, and whether anybody still waits for it."""

    def __init__(self, key: Key) -> None:
        self.key = key
        self.frames: list[Any] = []
        self.course: Any = None
        self.error: Exception | None = None
        self.dropped = False
        self.seen = time.monotonic()

    @property
    def ended(self) -> bool:
        return self.course is not None or self.error is not None or self.dropped

    @property
    def progress(self) -> float:
        from clmle.playground.trajectory import EVERY, STEPS

        return 1.0 if self.course is not None else len(self.frames) / (STEPS // EVERY + 2)


class Studio:
    """Trains wanted courses, one at a time; who asks again for the same finds it done."""

    def __init__(self) -> None:
        from clmle.playground.worker import PlaygroundWorker

        self._jobs: OrderedDict[Key, Job] = OrderedDict()
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="sphere")
        self._make = PlaygroundWorker
        self._trainer: Any = None
        self._visitors = Presence()
        threading.Thread(target=self._watch, daemon=True).start()
        atexit.register(self._rest)

    def open(self) -> None:
        """Note a visitor; the process loads while the page is being read."""
        self._visitors.here()
        with self._lock:
            self._ready()

    def want(self, keys: list[Key]) -> list[Job]:
        """Jobs of ``keys``, started where needed; asking keeps them alive."""
        found = []
        with self._lock:
            for key in keys:
                job = self._jobs.get(key)
                failed = job is not None and job.error is not None
                if job is None or job.dropped or (failed and time.monotonic() - job.seen > LEASE):
                    job = self._jobs[key] = Job(key)
                    self._pool.submit(self._train, job)
                job.seen = time.monotonic()
                self._jobs.move_to_end(key)
                found.append(job)
            while len(self._jobs) > KEPT and next(iter(self._jobs.values())).ended:
                self._jobs.popitem(last=False)
        return found

    def keep_only(self, keys: list[Key], earlier: list[Key]) -> None:
        """Give up what is not done yet of ``earlier`` unless it is among ``keys``."""
        with self._lock:
            for key in earlier:
                job = self._jobs.get(key)
                if key not in keys and job is not None and not job.ended:
                    job.dropped = True

    def _train(self, job: Job) -> None:
        if self._stale(job):  # dials may have moved on while it stood in line
            return
        try:
            with self._lock:
                trainer = self._ready()
            with closing(trainer.frames(*job.key)) as frames:
                for reached in frames:
                    if self._stale(job):
                        return
                    if hasattr(reached, "frames"):
                        job.course = reached
                    else:
                        job.frames.append(reached)
        except Exception as error:
            job.error = error

    def _ready(self) -> Any:
        if self._trainer is None or self._trainer.process.poll() is not None:
            self._trainer = self._make()
        return self._trainer

    def _rest(self) -> None:
        with self._lock:
            trainer, self._trainer = self._trainer, None
        if trainer is not None:
            trainer.close()

    def _watch(self) -> None:
        while True:
            time.sleep(1.0)
            if self._trainer is not None and self._visitors.alone_for() > GRACE:
                self._rest()

    def _stale(self, job: Job) -> bool:
        with self._lock:
            if time.monotonic() - job.seen > LEASE:
                job.dropped = True
            return job.dropped


@st.cache_resource(show_spinner=False)
def studio() -> Studio:
    """The one studio of this server."""
    return Studio()
