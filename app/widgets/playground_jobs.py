"""Trajectories trained in the background: one process per server, results kept and shared."""

import threading
import time
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import streamlit as st

from app.widgets.background_tasks import background_tasks
from clmle import playground

LEASE = 10.0  # seconds after which a trajectory that no session shows is cancelled
PROCESS = "playground"  # the background task
MAX_KEPT = 240  # trajectories; at most 1 MB each

Key = tuple[Any, str, int, str, int]  # problem, method, clusters, classifier, steps of a frame


class PlaygroundJob:
    """One trajectory: the frames so far, the result, and whether it is still wanted."""

    def __init__(self, key: Key) -> None:
        self.key = key
        self.frames: list[Any] = []
        self.trajectory: Any = None
        self.error: Exception | None = None
        self.cancelled = False
        self.seen = time.monotonic()

    @property
    def ended(self) -> bool:
        return self.trajectory is not None or self.error is not None or self.cancelled

    @property
    def progress(self) -> float:
        """Fraction of the training that is done."""
        if self.trajectory is not None:
            return 1.0
        return self.frames[-1].step / playground.STEPS if self.frames else 0.0


class PlaygroundJobs:
    """Trains the wanted trajectories one at a time and keeps them for later requests."""

    def __init__(self) -> None:
        self._jobs: OrderedDict[Key, PlaygroundJob] = OrderedDict()
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="playground")
        self._tasks = background_tasks()
        self._worker: Any = None

    def open(self) -> None:
        """Record a visitor; the process starts while the page is being read."""
        with self._lock:
            self._ready()

    def want(self, keys: list[Key]) -> list[PlaygroundJob]:
        """Jobs of ``keys``, started where needed; asking keeps them alive."""
        found = []
        with self._lock:
            for key in keys:
                job = self._jobs.get(key)
                failed = job is not None and job.error is not None
                if job is None or job.cancelled or (failed and time.monotonic() - job.seen > LEASE):
                    job = self._jobs[key] = PlaygroundJob(key)
                    self._pool.submit(self._train, job)
                job.seen = time.monotonic()
                self._jobs.move_to_end(key)
                found.append(job)
            while len(self._jobs) > MAX_KEPT and next(iter(self._jobs.values())).ended:
                self._jobs.popitem(last=False)
        return found

    def finished(self, keys: list[Key]) -> dict[Key, Any]:
        """The trajectories of ``keys`` that are trained; starts none."""
        with self._lock:
            jobs = [self._jobs[key] for key in keys if key in self._jobs]
        return {job.key: job.trajectory for job in jobs if job.trajectory is not None}

    def cancel(self, keys: list[Key]) -> None:
        """Cancel the jobs of ``keys`` that have not ended."""
        with self._lock:
            for key in keys:
                job = self._jobs.get(key)
                if job is not None and not job.ended:
                    job.cancelled = True

    def _train(self, job: PlaygroundJob) -> None:
        if self._stale(job):  # the sliders may have changed while it waited
            return
        try:
            with self._lock:
                worker = self._ready()
            with closing(worker.frames(*job.key)) as frames:
                for reached in frames:
                    if self._stale(job):
                        return
                    if hasattr(reached, "frames"):
                        job.trajectory = reached
                    else:
                        job.frames.append(reached)
        except Exception as error:
            job.error = error

    def _ready(self) -> Any:
        if self._worker is None or self._worker.process.poll() is not None:
            self._tasks.stop(PROCESS)
        self._tasks.want(PROCESS, self._start)
        return self._worker

    def _start(self) -> Any:
        self._worker = playground.PlaygroundWorker()
        return self._worker.process

    def _stale(self, job: PlaygroundJob) -> bool:
        with self._lock:
            if time.monotonic() - job.seen > LEASE:
                job.cancelled = True
            return job.cancelled


@st.cache_resource(show_spinner=False)
def playground_jobs() -> PlaygroundJobs:
    """The jobs of this server."""
    return PlaygroundJobs()
