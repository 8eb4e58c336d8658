"""A pool of worker processes on this machine, each of which runs one task at a time."""

import json
import signal
import subprocess
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from clmle.errors import InputError
from clmle.jobs.process import start_module

PATIENCE = 30.0  # seconds that a worker has to save its checkpoint before it is killed

Worker = subprocess.Popen[bytes]


class WorkerPool:
    """Processes of :mod:`clmle.jobs.worker`, started on demand, one for each call of a thread."""

    def __init__(self, function: str, threads: int, log: Path) -> None:
        self.arguments, self.log = (function, str(threads)), log
        self._lock = threading.Lock()
        self._idle: list[Worker] = []
        self._workers: list[Worker] = []
        self._closed = False

    def run(self, task: dict[str, Any]) -> dict[str, Any]:
        """The worker's answer to ``task``, or {"error": how its process ended}."""
        try:
            with self._lock:
                worker = self._idle.pop() if self._idle else None
            if worker is None or not _send(worker, task):  # or it died while idle
                worker = self._start()
                _send(worker, task)
        except InputError as error:
            return {"error": str(error)}
        assert worker.stdout is not None
        try:
            answer: dict[str, Any] = json.loads(worker.stdout.readline())
        except ValueError:  # the process ended: nothing, or half a line
            code = worker.wait()
            if code < 0:
                name = signal.Signals(-code).name
                return {"error": f"its process was killed ({name}); run the study again"}
            return {"error": f"its process ended with code {code}; see {self.log}"}
        with self._lock:
            self._idle.append(worker)
        return answer

    def close(self) -> None:
        """End all workers; one that trains saves a checkpoint first, or is killed after a while."""
        with self._lock:
            self._closed = True
        try:
            for worker in self._workers:
                _close(worker)
            for worker in self._workers:
                with suppress(subprocess.TimeoutExpired):
                    worker.wait(PATIENCE)
        finally:  # also after a second Ctrl-C
            for worker in self._workers:
                if worker.poll() is None:
                    worker.kill()

    def _start(self) -> Worker:
        with self._lock:
            if self._closed:
                raise InputError("The study is stopping.")
            worker: Worker = start_module(
                "clmle.jobs.worker", *self.arguments, log=self.log, append=True, pipes=True
            )
            self._workers.append(worker)
        return worker


def _send(worker: Worker, task: dict[str, Any]) -> bool:
    """Send a task; return whether the worker could receive it."""
    assert worker.stdin is not None
    try:
        worker.stdin.write(json.dumps(task).encode() + b"\n")
        worker.stdin.flush()
    except OSError:
        _close(worker)
        return False
    return True


def _close(worker: Worker) -> None:
    assert worker.stdin is not None
    with suppress(OSError):  # the process has ended and left unread input
        worker.stdin.close()
