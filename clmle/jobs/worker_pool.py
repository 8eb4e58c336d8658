"""Worker processes of this machine: hired when needed, replaced when they die, let go together."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 30.0  # seconds that a worker is given to save its checkpoint


class WorkerPool:
    """Any number of threads may call :meth:`train`; each call has one worker to itself.

    ``threads`` are the CPU threads of each worker; what they print goes to ``log``.
    """

    def __init__(self, threads: int, log: Path) -> None:
        self.threads, self.log = threads, log
        self.lock = threading.Lock()
        self.idle: list[subprocess.Popen[str]] = []
        self.all: list[subprocess.Popen[str]] = []
        self.closed = False

    def train(self, task: dict[str, Any]) -> dict[str, Any]:
        """The answer of a worker to ``task``, or an error that says how its process ended."""
        try:
            worker = self._take()
            if not _tell(worker, task):  # it died while idle: that costs nothing
                worker = self._hire()
                _tell(worker, task)
        except OSError as error:
            return {"summary": None, "error": f"no process could be started ({error})"}
        assert worker.stdout is not None
        try:
            answer: dict[str, Any] = json.loads(worker.stdout.readline())
        except ValueError:  # nothing, or half a line
            return {"summary": None, "error": self._epitaph(worker)}
        with self.lock:
            self.idle.append(worker)
        return answer

    def dismiss(self) -> None:
        """Let all go: those that train save a checkpoint first; who takes too long is killed."""
        with self.lock:
            self.closed = True
        try:
            for worker in self.all:
                _close(worker)
            for worker in self.all:
                try:
                    worker.wait(PATIENCE)
                except subprocess.TimeoutExpired:
                    worker.kill()
        finally:  # a second Ctrl-C does not wait
            for worker in self.all:
                if worker.poll() is None:
                    worker.kill()

    def _take(self) -> subprocess.Popen[str]:
        with self.lock:
            while self.idle:
                worker = self.idle.pop()
                if worker.poll() is None:
                    return worker
        return self._hire()

    def _hire(self) -> subprocess.Popen[str]:
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
        with self.lock:
            if self.closed:
                raise OSError("the sweep is stopping")
            with open(self.log, "ab") as log:
                worker = subprocess.Popen(
                    [sys.executable, "-m", "clmle.jobs.worker", str(self.threads)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    env=os.environ | {"PYTHONPATH": path},
                    encoding="utf-8",
                    start_new_session=True,  # Ctrl-C is for the sweep, which tells its workers
                )
            self.all.append(worker)
        return worker

    def _epitaph(self, worker: subprocess.Popen[str]) -> str:
        """How a worker ended."""
        code = worker.wait()
        if code < 0:
            return f"its process was killed ({signal.Signals(-code).name}); run the sweep again"
        return f"its process ended with code {code}; see {self.log}"


def _tell(worker: subprocess.Popen[str], task: dict[str, Any]) -> bool:
    """Whether the worker could be told."""
    assert worker.stdin is not None
    try:
        worker.stdin.write(json.dumps(task) + "\n")
        worker.stdin.flush()
    except OSError:
        _close(worker)
        return False
    return True


def _close(worker: subprocess.Popen[str]) -> None:
    assert worker.stdin is not None
    with suppress(OSError):  # what it was last told never reached it: it is dead
        worker.stdin.close()
